"""The pages of the dashboard, one module for each subject; importing them declares them."""
