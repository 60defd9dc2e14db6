"""The HTTP API: endpoints declared once, checked shapes, one form of failure."""
