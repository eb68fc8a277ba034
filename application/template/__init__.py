"""Templates: saved as immutable versions, one of them active."""
