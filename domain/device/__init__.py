"""Devices of users that push notifications reach."""
