"""Channels: what can be said on each."""
