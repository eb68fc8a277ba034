"""Addresses over email-validator, phonenumbers and the IANA time zones."""

from adapters.addresses.addresses import LocalAddresses

__all__ = ["LocalAddresses"]
