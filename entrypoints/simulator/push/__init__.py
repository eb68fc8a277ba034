"""Look-alikes of push services."""
