"""The schema of PostgreSQL, revision by revision."""
