"""Statements of the room `trigger`."""
