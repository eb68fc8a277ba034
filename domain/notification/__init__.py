"""One request to tell somebody something, and how its deliveries roll up."""
