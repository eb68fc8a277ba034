"""Work that an operator starts and that is done in chunks."""
