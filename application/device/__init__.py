"""Devices of users: registered, removed, listed."""
