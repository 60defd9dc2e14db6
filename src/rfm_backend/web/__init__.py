"""What a browser gets: static files."""
