"""The provider of messages in the shop's own app."""
