"""Statements of the room `channel`."""
