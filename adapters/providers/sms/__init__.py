"""Who carries text messages."""
