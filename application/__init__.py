"""Use cases, one verb a file, on ports."""
