"""RabbitMQ 3.10 and later: its topology, and the broker's ports over AMQP 0-9-1."""
