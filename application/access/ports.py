"""Where API keys are kept."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

import msgspec

from domain.kernel.channel import Mode


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key as it is kept: its secret is not."""

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
        """Save a new one."""
        ...

    async def find(self, digest: bytes) -> ApiKey | None:
        """The key of a secret, revoked and expired ones too."""
        ...

    async def revoke(self, key: UUID, at: datetime) -> bool:
        """Use it no more; False when there is no such key."""
        ...

    async def all(self) -> Sequence[ApiKey]:
        """Oldest first."""
        ...
