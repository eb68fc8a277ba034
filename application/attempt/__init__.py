"""Calls whose outcome is unknown, and what an operator says of them."""
