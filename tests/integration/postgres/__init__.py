"""The database itself: its schema, its partitions, and the way to it."""
