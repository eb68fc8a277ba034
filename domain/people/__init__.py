"""The mirror of the shop's customers: what an update says, and what becomes of a profile."""
