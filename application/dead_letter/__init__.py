"""Deliveries that were given up, and their messages on the broker."""
