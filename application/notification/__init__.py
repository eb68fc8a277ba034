"""Taking notifications in, showing them beforehand, calling them off."""
