"""The REST API over the in-memory adapters, in the test's own event loop."""
