"""What processes are put together from."""
