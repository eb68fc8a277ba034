"""Statements of the room `recovery`."""
