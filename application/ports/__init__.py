"""What the use cases need of the world: Protocols of one to four methods."""
