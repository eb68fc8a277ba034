"""The providers of webhooks."""
