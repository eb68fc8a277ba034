"""Statements of the room `template`."""
