"""Deliveries that were given up: listed, sent again, discarded."""
