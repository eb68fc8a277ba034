"""Links and pools behind a network that fails in every way, on the loop that the product runs on."""
