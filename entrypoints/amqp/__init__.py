"""Shop events over AMQP: read, handled in batches, acked after their commit."""
