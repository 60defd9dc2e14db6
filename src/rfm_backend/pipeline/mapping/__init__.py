"""Stage 2: which column means what, and how its text is read as numbers and dates."""
