"""The store of API keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.kernel.channel import Mode


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is stored: without its secret."""

    id: UUID
    name: str
    mode: Mode
    prefix: str
    """First characters of the secret, for people to tell keys apart."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class ApiKeys(Protocol):
    """Keys by the keyed digest of their secret."""

    async def add(self, key: ApiKey, digest: bytes) -> None:
        """Save a new key."""
        ...

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key with this digest, revoked or expired ones included; None: there is none."""
        ...

    async def revoke(self, key: UUID, at: datetime) -> bool:
        """Mark it as revoked; False when there is no such key."""
        ...

    async def all(self) -> Sequence[ApiKey]:
        """Return all keys, oldest first."""
        ...
