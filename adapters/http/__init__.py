"""Outgoing HTTP requests, for every adapter that makes some."""
