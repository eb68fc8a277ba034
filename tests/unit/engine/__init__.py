"""Actors on in-memory adapters."""
