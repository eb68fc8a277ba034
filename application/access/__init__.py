"""API keys: created, checked and revoked."""
