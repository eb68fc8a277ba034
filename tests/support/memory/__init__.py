"""Stores in memory, for pure tests and the simulation."""
