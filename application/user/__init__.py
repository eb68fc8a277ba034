"""Customers of the shop: kept up to date, found, erased."""
