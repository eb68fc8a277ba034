"""Statements of the room `job`."""
