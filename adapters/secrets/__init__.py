"""Secrets from the environment, from files, and from a secret manager."""
