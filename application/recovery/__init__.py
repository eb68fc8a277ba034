"""Publishes everything again when the broker has lost its data."""
