"""Where requests, messages and commands come in: translate only."""
