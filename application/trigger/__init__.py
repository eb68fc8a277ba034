"""Triggers: rules from shop events to notifications."""
