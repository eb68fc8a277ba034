"""Statements of the room `alert`."""
