"""`posthorn demo` on real processes and in a real browser."""
