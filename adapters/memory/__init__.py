"""The broker in process: embedded mode's; held to the same contract as RabbitMQ's adapter."""
