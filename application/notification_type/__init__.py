"""Registered types of notifications: saved by operators, read with every request."""
