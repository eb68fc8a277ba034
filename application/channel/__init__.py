"""How channels are run."""
