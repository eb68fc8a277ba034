"""Statements of the room `device`."""
