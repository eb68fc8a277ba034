"""Use cases on in-memory adapters."""
