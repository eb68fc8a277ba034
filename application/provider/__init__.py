"""Providers: the port of their gateways, and which of them may be called."""
