"""Actors: each owns its state and its mailbox, runs under a supervisor, and drains when told to stop."""
