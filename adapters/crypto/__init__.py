"""Envelope encryption and blind indexes over `cryptography`."""
