"""The generic HTTP gateway."""
