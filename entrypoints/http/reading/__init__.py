"""From bytes and query strings to structs; what does not fit is told with every fault."""
