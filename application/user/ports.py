"""The store of users, and the parser of their addresses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.kernel.channel import Mode


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


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A row of `users`; `data_key` and `profile` are sealed, None once erased."""

    id: UUID
    mode: Mode = Mode.LIVE
    guest: bool
    data_key: bytes | None
    profile: bytes | None
    email_index: bytes | None = None
    phone_index: bytes | None = None
    locale: str | None = None
    timezone: str | None = None
    version: int = 1
    source_time: datetime | None = None
    """When the shop says this state was true: an older event does not overwrite a newer one."""
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Users(Protocol):
    """Write and read `users`.  Held to tests/contract/users.py."""

    async def get(self, users: Sequence[UUID]) -> dict[UUID, User]:
        """Those that exist."""
        ...

    async def put(self, users: Sequence[User], *, expected: int | None = None) -> dict[UUID, bool]:
        """Insert or update set-wise; `users` are distinct.  An erased user may come back with any key.

        False for one that was not written: its key differs from the row's (read again, seal again), its
        `source_time` is older than the row's or its erasure, or `expected` is not its version (0: it must not
        exist).
        """
        ...

    async def erase(self, users: Sequence[UUID]) -> int:
        """Delete key, profile, indexes and devices: what was sealed for these users can never be read again.

        Returns how many there were.
        """
        ...

    async def page(
        self,
        after: UUID | None,
        limit: int,
        *,
        mode: Mode | None,
        email_index: bytes | None = None,
        phone_index: bytes | None = None,
    ) -> list[User]:
        """In id order, behind `after`, without erased ones; mode None: of both modes."""
        ...
