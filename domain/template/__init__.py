"""Content with holes: immutable versions and the variables they declare."""
