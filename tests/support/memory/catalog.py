"""Triggers, channel configurations and API keys, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import msgspec

from application.access.ports import ApiKey
from application.channel.ports import Channel
from application.kernel.versioned import Versioned
from application.provider.ports import DescribedProvider
from domain.kernel.errors import Conflict
from domain.notification_type.notification_type import NotificationType
from domain.provider.forcing import ForcedProvider
from domain.trigger.trigger import Trigger
from tests.support.memory.rows import MemoryRows

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryTriggers:
    """Implements `Triggers`."""

    rows: MemoryRows

    async def get(self, trigger: str) -> Versioned[Trigger] | None:
        return self.rows.triggers.get(trigger)

    async def put(self, trigger: Trigger, *, expected: int | None) -> Versioned[Trigger]:
        return _put(self.rows.triggers, trigger.id, trigger, expected, self.rows.clock.now())

    async def delete(self, trigger: str, *, expected: int | None) -> bool:
        known = self.rows.triggers.get(trigger)
        if known is not None and expected not in (None, known.version):
            raise Conflict(f"{trigger} is not at version {expected}")
        return self.rows.triggers.pop(trigger, None) is not None

    async def page(self, after: str, limit: int) -> list[Versioned[Trigger]]:
        return [self.rows.triggers[name] for name in sorted(self.rows.triggers) if name > after][:limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryNotificationTypes:
    """Implements `NotificationTypes`."""

    rows: MemoryRows

    async def get(self, kind: str) -> Versioned[NotificationType] | None:
        return self.rows.notification_types.get(kind)

    async def put(self, kind: NotificationType, *, expected: int | None) -> Versioned[NotificationType]:
        return _put(self.rows.notification_types, kind.id, kind, expected, self.rows.clock.now())

    async def delete(self, kind: str, *, expected: int | None) -> bool:
        known = self.rows.notification_types.get(kind)
        version = known.version if known is not None and expected is None else expected
        return _remove(self.rows.notification_types, kind, version or 0)

    async def page(self, after: str, limit: int) -> list[Versioned[NotificationType]]:
        kept = self.rows.notification_types
        return [kept[name] for name in sorted(kept) if name > after][:limit]


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryChannels:
    """Implements `Channels`."""

    rows: MemoryRows

    async def get(self, channel: str) -> Versioned[Channel] | None:
        return self.rows.channels.get(channel)

    async def put(self, channel: Channel, *, expected: int | None) -> Versioned[Channel]:
        return _put(self.rows.channels, channel.channel, channel, expected, self.rows.clock.now())

    async def all(self) -> list[Versioned[Channel]]:
        return [self.rows.channels[name] for name in sorted(self.rows.channels)]

    async def remove(self, channel: str, *, expected: int) -> bool:
        return _remove(self.rows.channels, channel, expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDescribedProviders:
    """Implements `DescribedProviders`."""

    rows: MemoryRows

    async def versions(self) -> dict[str, int]:
        return {name: row.version for name, row in self.rows.described.items()}

    async def many(self, names: Sequence[str]) -> list[Versioned[DescribedProvider]]:
        return [self.rows.described[name] for name in sorted(set(names) & self.rows.described.keys())]

    async def put(self, provider: DescribedProvider, *, expected: int | None) -> Versioned[DescribedProvider]:
        return _put(self.rows.described, provider.name, provider, expected, self.rows.clock.now())

    async def remove(self, name: str, *, expected: int) -> bool:
        return _remove(self.rows.described, name, expected)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryApiKeys:
    """Implements `ApiKeys`."""

    rows: MemoryRows

    async def add(self, key: ApiKey, digest: bytes) -> None:
        if digest in self.rows.api_keys or any(key.id == known.id for known in self.rows.api_keys.values()):
            raise Conflict(f"an API key like {key.prefix}… exists")
        self.rows.api_keys[digest] = key

    async def find(self, digest: bytes) -> ApiKey | None:
        return self.rows.api_keys.get(digest)

    async def revoke(self, key: UUID, at: datetime) -> bool:
        for digest, known in self.rows.api_keys.items():
            if known.id == key:
                revoked = msgspec.structs.replace(known, revoked_at=known.revoked_at or at)
                self.rows.api_keys[digest] = revoked
                return True
        return False

    async def all(self) -> Sequence[ApiKey]:
        return sorted(self.rows.api_keys.values(), key=lambda key: (key.created_at, key.id))


def _put(
    rows: dict[str, Versioned[T]], name: str, value: T, expected: int | None, now: datetime
) -> Versioned[T]:
    version = rows[name].version if name in rows else 0
    if expected not in (None, version):
        raise Conflict(f"{name} is not at version {expected}")
    rows[name] = Versioned(value, version + 1, now)
    return rows[name]


def _remove(rows: dict[str, Versioned[T]], name: str, expected: int) -> bool:
    if name in rows and rows[name].version != expected:
        raise Conflict(f"{name} is not at version {expected}")
    return rows.pop(name, None) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryForcedProviders:
    """Implements `ForcedProviders`."""

    rows: MemoryRows

    async def all(self) -> list[Versioned[ForcedProvider]]:
        return [self.rows.forced[name] for name in sorted(self.rows.forced)]

    async def put(self, forced: ForcedProvider) -> Versioned[ForcedProvider]:
        return _put(self.rows.forced, forced.provider, forced, None, self.rows.clock.now())
