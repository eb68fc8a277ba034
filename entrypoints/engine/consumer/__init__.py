"""Consumers of queues whose messages are handled in batches, whatever they carry."""
