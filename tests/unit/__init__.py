"""The pure tier: no server, no network."""
