"""Personal data at rest: whether this process holds the keys it is sealed under."""
