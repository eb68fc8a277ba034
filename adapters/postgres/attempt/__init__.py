"""Statements of the room `attempt`."""
