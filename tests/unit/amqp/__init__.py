"""The events entrance without a broker."""
