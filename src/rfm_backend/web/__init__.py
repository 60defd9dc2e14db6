"""The dashboard: pages rendered here, over the same services as the API; static files beside them."""
