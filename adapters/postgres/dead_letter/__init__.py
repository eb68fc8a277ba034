"""Statements of the room `dead_letter`."""
