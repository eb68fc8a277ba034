"""Rules from shop events to notifications."""
