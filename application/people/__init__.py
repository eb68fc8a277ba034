"""Keeping the mirror of the shop's customers."""
