"""Providers, by channel: `registry` lists the kinds, `kit` has what they share."""
