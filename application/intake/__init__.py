"""Commands accepted on the broker while the database is away, and stored later."""
