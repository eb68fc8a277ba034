"""The intake: requests that are kept on the broker while the database is away, and committed later."""
