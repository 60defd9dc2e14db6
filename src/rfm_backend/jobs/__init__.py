"""Workers: they take jobs from the database, compute each in a child process, and publish what came out."""
