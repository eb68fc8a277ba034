"""The shop's customers in `users`, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from application.user.ports import User
from domain.kernel.channel import Mode
from domain.user.update import standing
from tests.support.memory.rows import MemoryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryUsers:
    """Implements `Users`.  A row without a key is an erased one: `updated_at` is when."""

    rows: MemoryRows

    async def get(self, users: Sequence[UUID]) -> dict[UUID, User]:
        return {user: self.rows.users[user] for user in users if user in self.rows.users}

    async def put(self, users: Sequence[User], *, expected: int | None = None) -> dict[UUID, bool]:
        return {user.id: self._put(user, expected) for user in users}

    async def erase(self, users: Sequence[UUID]) -> int:
        return sum(self._erase(user) for user in set(users))

    def _erase(self, user: UUID) -> bool:
        known = self.rows.users.get(user)
        if known is None or known.data_key is None:
            return False
        self.rows.users[user] = User(
            id=user,
            mode=known.mode,
            guest=known.guest,
            data_key=None,
            profile=None,
            version=known.version + 1,
            source_time=known.source_time,
            created_at=known.created_at,
            updated_at=self.rows.clock.now(),
        )
        for device in [row.id for row in self.rows.devices.values() if row.user_id == user]:
            del self.rows.devices[device]
        return True

    async def page(
        self,
        after: UUID | None,
        limit: int,
        *,
        mode: Mode | None,
        email_index: bytes | None = None,
        phone_index: bytes | None = None,
    ) -> list[User]:
        found = [
            user
            for user in self.rows.users.values()
            if user.data_key is not None
            and (after is None or user.id > after)
            and mode in (None, user.mode)
            and (email_index is None or user.email_index == email_index)
            and (phone_index is None or user.phone_index == phone_index)
        ]
        return sorted(found, key=lambda user: user.id)[:limit]

    def _put(self, user: User, expected: int | None) -> bool:
        known = self.rows.users.get(user.id)
        now = self.rows.clock.now()
        if not _writable(known, user, expected, now):
            return False
        self.rows.users[user.id] = msgspec.structs.replace(
            user,
            version=known.version + 1 if known else 1,
            source_time=user.source_time or (standing(known.source_time, now) if known else None),
            created_at=known.created_at if known else now,
            updated_at=now,
        )
        return True


def _writable(known: User | None, user: User, expected: int | None, now: datetime) -> bool:
    if known is None:
        return not expected
    erased = known.data_key is None
    stated = standing(known.source_time, now)
    times = [time for time in (stated, known.updated_at if erased else None) if time]
    return (
        (erased or known.data_key == user.data_key)
        and (user.source_time is None or all(user.source_time >= time for time in times))
        and (expected is None or (erased if expected == 0 else known.version == expected))
    )
