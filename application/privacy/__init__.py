"""Sealing personal data, opening and masking it, and the keys it is sealed under."""
