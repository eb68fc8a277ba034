"""Statements of the room `notification`."""
