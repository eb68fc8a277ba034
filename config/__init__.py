"""Settings, policies and the composition root."""
