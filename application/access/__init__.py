"""Who may call: API keys, made, checked and revoked."""
