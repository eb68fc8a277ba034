"""Faults done to real processes and servers, held against the sandbox's ledger."""
