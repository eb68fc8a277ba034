"""Notification."""
