"""Statements of the room `access`."""
