"""Customers of the shop, and what events say of them."""
