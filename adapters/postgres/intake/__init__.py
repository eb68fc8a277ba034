"""Statements of the room `intake`."""
