"""Routes of the room `provider`."""
