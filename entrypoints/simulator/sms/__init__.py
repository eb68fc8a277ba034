"""Look-alikes of SMS providers."""
