"""Customers of the shop: mirrored, found, erased."""
