"""Templates: immutable versions of content, and the variables they declare."""
