"""Addresses as people write them, into the spelling that is stored and sent to.

What pasting leaves around them (spaces, line ends, zero-width characters) is no part of them.
"""

from typing import Protocol


class Addresses(Protocol):
    """Checks the form only: no network.  A ValueError's text can be shown to who wrote the value."""

    def email(self, value: str) -> str:
        """The mailbox as given, its domain in lower case and ASCII (IDNA); `folded` is for looking it up.

        Raises:
            ValueError: not an address.
        """
        ...

    def phone(self, value: str, region: str | None = None) -> str:
        """E.164.  `region` (ISO 3166-1 alpha-2) is needed for a number without a leading +.

        Raises:
            ValueError: not a number, or of unknown country.
        """
        ...

    def timezone(self, value: str) -> str:
        """A name of the IANA time zone database.

        Raises:
            ValueError: no such zone.
        """
        ...

    def locale(self, value: str) -> str:
        """Language, script and region of a BCP 47 tag, in its usual spelling: `pt-BR`, `zh-Hant`.

        Raises:
            ValueError: not such a tag.
        """
        ...
