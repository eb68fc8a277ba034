"""Customers of the shop and guests, as this service knows them."""
