"""Statements of the room `privacy`."""
