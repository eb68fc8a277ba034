"""Look-alikes of e-mail providers."""
