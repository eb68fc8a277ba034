"""Statements of the room `notification_type`."""
