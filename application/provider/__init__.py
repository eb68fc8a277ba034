"""Providers: which may be called, and what each is asked."""
