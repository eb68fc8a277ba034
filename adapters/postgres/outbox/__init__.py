"""Statements of the room `outbox`."""
