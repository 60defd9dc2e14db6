"""What the service keeps: rows in SQLite or MySQL, bytes in a folder."""
