"""Trigger."""
