"""What the application asks of a provider's gateway."""
