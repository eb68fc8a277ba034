"""Customers of the shop, and the events that update them."""
