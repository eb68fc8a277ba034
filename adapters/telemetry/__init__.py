"""Logs and metrics: what an operator sees, and no customer's address or words in it."""
