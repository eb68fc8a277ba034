"""What the application asks of a message broker."""
