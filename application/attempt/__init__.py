"""Calls whose outcome is unknown, and how operators resolve them."""
