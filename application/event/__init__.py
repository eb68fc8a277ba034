"""Shop events: what they mean for users, and which notifications they ask for."""
