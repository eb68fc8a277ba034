"""Passwords and keys by reference."""
