"""Notifications: accepted, previewed, read and cancelled."""
