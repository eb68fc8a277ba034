"""The relay: publishes what has been committed to the outbox."""
