"""The outcomes of a provider's calls, its capabilities, and when a provider is paused and probed."""
