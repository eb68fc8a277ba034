"""Look-alikes of endpoints."""
