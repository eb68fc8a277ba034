"""Types of notifications that a shop registers, so that its requests need not say everything."""
