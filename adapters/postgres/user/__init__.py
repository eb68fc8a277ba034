"""Statements of the room `user`."""
