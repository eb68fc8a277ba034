"""Where a secret is, said by a reference."""
