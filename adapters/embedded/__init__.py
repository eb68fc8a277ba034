"""A PostgreSQL of our own, from a wheel: no server to install, no root needed."""
