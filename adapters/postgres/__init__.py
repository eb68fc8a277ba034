"""PostgreSQL 15+: the truth."""
