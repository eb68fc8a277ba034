"""Shop events: what they mean for the mirror, and which notifications they ask for."""
