"""Request bodies as structs, and what they ask for."""
