"""Statements of the room `delivery`."""
