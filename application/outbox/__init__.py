"""From committed rows to the broker."""
