"""Triggers: which shop event makes which notification."""
