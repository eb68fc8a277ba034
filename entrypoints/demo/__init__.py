"""A day in a small shop: the whole way of a message, live, with nothing installed."""
