"""Requests for notifications, and the status that follows from their deliveries."""
