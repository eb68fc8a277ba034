"""What travels: tagged, versioned structs."""
