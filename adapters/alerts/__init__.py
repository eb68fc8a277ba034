"""Events to operators: Standard Webhooks 1.0."""
