"""Providers described by data, of any channel."""
