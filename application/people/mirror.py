"""Keep the mirror of the shop's customers: merge updates into sealed profiles, set-wise.

Several updates of one person are folded in their order and written once.  A row that somebody else changed
between reading and writing is read again: no field is lost to a race.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UnsetType

from application.normalising import normalised
from application.ports.addresses import Addresses
from application.ports.people import People, Person
from application.ports.system import Clock
from application.ports.vault import Unreadable, Vault
from application.sealing import open_profile, seal_profile
from domain.kernel.errors import StoreUnavailable
from domain.kernel.ids import person_id
from domain.notification.request import Profile
from domain.people.mailbox import folded
from domain.people.update import (
    FIELDS,
    Mirrored,
    MirrorOutcome,
    PersonUpdate,
    merged,
    outdated,
    standing,
    timed,
)

_TRIES = 5

_Numbered = tuple[int, PersonUpdate]


class _Change(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be done about one person, and the outcome of each of their updates once it is done."""

    outcomes: dict[int, MirrorOutcome]
    row: Person | None = None
    """To write."""
    fence: int = 0
    """Write only over this version; 0: nobody is there."""
    erase: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorPeople:
    """Used by user events (lenient) and by REST (strict)."""

    people: People
    vault: Vault
    addresses: Addresses
    clock: Clock

    async def __call__(
        self, updates: Sequence[PersonUpdate], *, expected: int | None = None, lenient: bool = False
    ) -> list[Mirrored]:
        """Apply updates; one answer each, in order.

        Args:
            expected: the version the caller has seen (If-Match), 0 for "there is none"; for one update.
            lenient: a value that is no address is cleared and reported, and the rest is written: the old one
                no longer holds, says the shop, and half a customer is better than none.

        A time that cannot be is left out and reported.

        Raises:
            StoreUnavailable: part of it may be written; applying it again is harmless.
        """
        answers: dict[int, Mirrored] = {}
        waiting: dict[UUID, list[_Numbered]] = {}
        for n, update in enumerate(updates):
            person = person_id(self.vault.index("user", update.user_id))
            said = {
                name: value for name in FIELDS if not isinstance(value := getattr(update, name), UnsetType)
            }
            values, faults = normalised(said, self.addresses)
            clean, untimely = timed(msgspec.structs.replace(update, **values), self.clock.now())
            if lenient or not faults:
                waiting.setdefault(person, []).append((n, clean))
            faults += [untimely] if untimely else []
            answers[n] = Mirrored(person=person, outcome=MirrorOutcome.INVALID, faults=tuple(faults))
        for _ in range(_TRIES):
            if not waiting:
                break
            for n, outcome in (await self._round(waiting, expected, lenient)).items():
                answers[n] = msgspec.structs.replace(answers[n], outcome=outcome)
        else:
            if waiting:
                raise StoreUnavailable("the rows of these persons keep changing")
        return [answers[n] for n in range(len(updates))]

    async def _round(
        self, waiting: dict[UUID, list[_Numbered]], expected: int | None, lenient: bool
    ) -> dict[int, MirrorOutcome]:
        """Read, decide, write once; who is done leaves `waiting`."""
        rows = await self.people.get(list(waiting))
        changes: dict[UUID, _Change] = {}
        for who, todo in waiting.items():
            row = rows.get(who)
            if expected is not None and expected != _version(row):
                changes[who] = _all(todo, MirrorOutcome.CONFLICT)
            elif row is not None and row.data_key is None and _late(row, todo, lenient=lenient):
                changes[who] = _all(todo, MirrorOutcome.GONE)
            else:
                changes[who] = self._change(who, row, todo)
        missed = await self._write(changes.values())
        for who in changes.keys() - missed:
            del waiting[who]
        return {n: o for who in changes.keys() - missed for n, o in changes[who].outcomes.items()}

    async def _write(self, changes: Iterable[_Change]) -> set[UUID]:
        """Write set-wise, one statement for each version to be met; return who was missed."""
        by_fence: dict[int, list[Person]] = {}
        for change in changes:
            if change.erase is not None:
                await self.people.erase(change.erase)
            elif change.row is not None:
                by_fence.setdefault(change.fence, []).append(change.row)
        missed: set[UUID] = set()
        for fence, rows in by_fence.items():
            written = await self.people.put(sorted(rows, key=lambda row: row.id), expected=fence)
            missed |= {row.id for row in rows if not written.get(row.id, False)}
        return missed

    def _change(self, who: UUID, row: Person | None, todo: Sequence[_Numbered]) -> _Change:
        """Decide about one person.  An erasure is never too late: who comes back is told of again."""
        if any(update.deleted for _, update in todo):
            return _all(todo, MirrorOutcome.DELETED, erase=who)
        try:
            return self._merge(who, row, todo)
        except Unreadable:
            return _all(todo, MirrorOutcome.UNREADABLE)

    def _merge(self, who: UUID, row: Person | None, todo: Sequence[_Numbered]) -> _Change:
        """Fold the updates of one person into one row to write.

        Raises:
            Unreadable: the row cannot be opened.
        """
        if row is not None and row.data_key is not None:
            wrapped, key = row.data_key, self.vault.unwrap(row.data_key, who)
        else:
            key = self.vault.create()
            wrapped = self.vault.wrap(key, who)
        profile = open_profile(key, who, row.profile) if row is not None and row.profile else Profile()
        at = _known_at(row, self.clock.now())
        outcomes: dict[int, MirrorOutcome] = {}
        for n, update in todo:
            if outdated(at, update):
                outcomes[n] = MirrorOutcome.OUTDATED
                continue
            outcomes[n] = MirrorOutcome.WRITTEN
            profile, at = merged(profile, update), update.source_time or at
        if MirrorOutcome.WRITTEN not in outcomes.values():
            return _Change(outcomes=outcomes)
        new = Person(
            id=who,
            guest=False,
            data_key=wrapped,
            profile=seal_profile(key, who, profile),
            email_index=self.vault.index("email", folded(profile.email)) if profile.email else None,
            phone_index=self.vault.index("phone", profile.phone) if profile.phone else None,
            locale=profile.locale,
            timezone=profile.timezone,
            source_time=at,
        )
        return _Change(outcomes=outcomes, row=new, fence=_version(row))


def _version(row: Person | None) -> int:
    return row.version if row is not None and row.data_key is not None else 0


def _known_at(row: Person | None, now: datetime) -> datetime | None:
    """The time that an update must not be older than: of the last one, or of the erasure."""
    if row is None:
        return None
    return row.updated_at if row.data_key is None else standing(row.source_time, now)


def _late(erased: Person, todo: Sequence[_Numbered], *, lenient: bool) -> bool:
    """Whether all of it was said before the erasure; an event that states no time may have been."""
    return all(
        update.deleted or outdated(erased.updated_at, update) or (lenient and update.source_time is None)
        for _, update in todo
    )


def _all(todo: Sequence[_Numbered], outcome: MirrorOutcome, *, erase: UUID | None = None) -> _Change:
    return _Change(outcomes={n: outcome for n, _ in todo}, erase=erase)
