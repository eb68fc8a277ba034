"""The REST API with its rows in memory, in the test's own event loop: no server is needed."""
