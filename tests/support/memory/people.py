"""The mirror of the shop's customers, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from application.user.ports import Person
from domain.kernel.channel import Mode
from domain.user.update import standing
from tests.support.memory.rows import MemoryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryPeople:
    """Implements `People`.  A row without a key is an erased one: `updated_at` is when."""

    rows: MemoryRows

    async def get(self, persons: Sequence[UUID]) -> dict[UUID, Person]:
        return {person: self.rows.users[person] for person in persons if person in self.rows.users}

    async def put(self, persons: Sequence[Person], *, expected: int | None = None) -> dict[UUID, bool]:
        return {person.id: self._put(person, expected) for person in persons}

    async def erase(self, persons: Sequence[UUID]) -> int:
        return sum(self._erase(person) for person in set(persons))

    def _erase(self, person: UUID) -> bool:
        known = self.rows.users.get(person)
        if known is None or known.data_key is None:
            return False
        self.rows.users[person] = Person(
            id=person,
            mode=known.mode,
            guest=known.guest,
            data_key=None,
            profile=None,
            version=known.version + 1,
            source_time=known.source_time,
            created_at=known.created_at,
            updated_at=self.rows.clock.now(),
        )
        return True

    async def page(
        self,
        after: UUID | None,
        limit: int,
        *,
        mode: Mode | None,
        email_index: bytes | None = None,
        phone_index: bytes | None = None,
    ) -> list[Person]:
        found = [
            person
            for person in self.rows.users.values()
            if person.data_key is not None
            and (after is None or person.id > after)
            and mode in (None, person.mode)
            and (email_index is None or person.email_index == email_index)
            and (phone_index is None or person.phone_index == phone_index)
        ]
        return sorted(found, key=lambda person: person.id)[:limit]

    def _put(self, person: Person, expected: int | None) -> bool:
        known = self.rows.users.get(person.id)
        now = self.rows.clock.now()
        if not _writable(known, person, expected, now):
            return False
        self.rows.users[person.id] = msgspec.structs.replace(
            person,
            version=known.version + 1 if known else 1,
            source_time=person.source_time or (standing(known.source_time, now) if known else None),
            created_at=known.created_at if known else now,
            updated_at=now,
        )
        return True


def _writable(known: Person | None, person: Person, expected: int | None, now: datetime) -> bool:
    if known is None:
        return not expected
    erased = known.data_key is None
    told = standing(known.source_time, now)
    times = [time for time in (told, known.updated_at if erased else None) if time]
    return (
        (erased or known.data_key == person.data_key)
        and (person.source_time is None or all(person.source_time >= time for time in times))
        and (expected is None or (erased if expected == 0 else known.version == expected))
    )
