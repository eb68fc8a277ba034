"""Statements of the room `provider`."""
