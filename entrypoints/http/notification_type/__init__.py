"""Registered types of notifications: what requests for them need not say."""
