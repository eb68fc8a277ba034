"""What every adapter of a port must do: abstract suites, run over the in-memory and the real ones."""
