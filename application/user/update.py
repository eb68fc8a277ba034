"""Keep the shop's customers in `users`: merge updates into sealed profiles, set-wise.

Several updates of one user are merged in their order and written once.  A row that another process changed
between reading and writing is read again, so that no concurrent update is lost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec import UnsetType

from application.kernel.ports import Clock
from application.privacy.ports import Unreadable, Vault
from application.privacy.sealing import open_profile, seal_profile
from application.user.identity import customer, email_index, phone_index
from application.user.normalising import normalised, own_addresses
from application.user.ports import Addresses, User, Users
from domain.kernel.channel import Mode
from domain.kernel.errors import KeyUnavailable, StoreUnavailable
from domain.notification.request import Profile
from domain.user.update import (
    FIELDS,
    UpdatedUser,
    UpdateOutcome,
    UserUpdate,
    merged,
    outdated,
    standing,
    timed,
)

_TRIES = 5

_Numbered = tuple[int, UserUpdate]


class _Change(msgspec.Struct, frozen=True, kw_only=True):
    """The change of one user, and the outcome of each of their updates once it is written.

    `outcomes` is by the number of the update.
    """

    outcomes: dict[int, UpdateOutcome]
    row: User | None = None
    """To write."""
    fence: int = 0
    """Write only over this version; 0: only if there is no such user."""
    erase: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateUsers:
    """Used by user events (`drop_invalid`) and by REST."""

    users: Users
    vault: Vault
    addresses: Addresses
    clock: Clock

    async def __call__(
        self,
        updates: Sequence[UserUpdate],
        *,
        mode: Mode = Mode.LIVE,
        expected: int | None = None,
        drop_invalid: bool = False,
    ) -> list[UpdatedUser]:
        """Apply updates; one answer each, in order.

        Args:
            mode: whose customers: test keys have their own.
            expected: the version the caller has seen (If-Match), 0 for "there is none"; for one update.
            drop_invalid: an invalid address is cleared and reported, and the rest is written: the old address
                is out of date, as the shop says, and a user without an address is better than none.

        An implausible `source_time` is left out and reported.

        Raises:
            StoreUnavailable: part of it may be written; applying it again is harmless.
        """
        answers: dict[int, UpdatedUser] = {}
        waiting: dict[UUID, list[_Numbered]] = {}
        for n, update in enumerate(updates):
            user = customer(self.vault, update.user_id, mode)
            said = {
                name: value for name in FIELDS if not isinstance(value := getattr(update, name), UnsetType)
            }
            values, faults = normalised(said, self.addresses)
            read = msgspec.structs.replace(update, **values)
            if not isinstance(update.addresses, UnsetType) and update.addresses:
                addresses, wrong = own_addresses(update.addresses)
                faults += wrong
                read = msgspec.structs.replace(read, addresses=addresses)
            clean, untimely = timed(read, self.clock.now())
            if drop_invalid or not faults:
                waiting.setdefault(user, []).append((n, clean))
            faults += [untimely] if untimely else []
            answers[n] = UpdatedUser(user=user, outcome=UpdateOutcome.INVALID, faults=tuple(faults))
        for _ in range(_TRIES):
            if not waiting:
                break
            for n, outcome in (await self._round(waiting, mode, expected, drop_invalid)).items():
                answers[n] = msgspec.structs.replace(answers[n], outcome=outcome)
        else:
            if waiting:
                raise StoreUnavailable("the rows of these users keep changing")
        return [answers[n] for n in range(len(updates))]

    async def _round(
        self, waiting: dict[UUID, list[_Numbered]], mode: Mode, expected: int | None, drop_invalid: bool
    ) -> dict[int, UpdateOutcome]:
        """Read, decide, write once; users whose updates are done are removed from `waiting`."""
        rows = await self.users.get(list(waiting))
        changes: dict[UUID, _Change] = {}
        for who, todo in waiting.items():
            row = rows.get(who)
            if expected is not None and expected != _version(row):
                changes[who] = _all(todo, UpdateOutcome.CONFLICT)
            elif row is not None and row.data_key is None and _late(row, todo, from_event=drop_invalid):
                changes[who] = _all(todo, UpdateOutcome.GONE, erase=self._erased(todo, mode))
            else:
                changes[who] = self._change(who, row, todo, mode)
        missed = await self._write(changes.values())
        for who in changes.keys() - missed:
            del waiting[who]
        return {n: o for who in changes.keys() - missed for n, o in changes[who].outcomes.items()}

    async def _write(self, changes: Iterable[_Change]) -> set[UUID]:
        """Write set-wise, one statement for each expected version; return users who had another version."""
        by_fence: dict[int, list[User]] = {}
        changes = list(changes)
        if erased := [user for change in changes for user in change.erase]:
            await self.users.erase(erased)
        for change in changes:
            if change.row is not None:
                by_fence.setdefault(change.fence, []).append(change.row)
        missed: set[UUID] = set()
        for fence, rows in by_fence.items():
            written = await self.users.put(sorted(rows, key=lambda row: row.id), expected=fence)
            missed |= {row.id for row in rows if not written.get(row.id, False)}
        return missed

    def _change(self, who: UUID, row: User | None, todo: Sequence[_Numbered], mode: Mode) -> _Change:
        """Decide about one user.  An erasure applies whatever its time: a user who returns is sent again."""
        if erased := self._erased(todo, mode):
            return _all(todo, UpdateOutcome.DELETED, erase=erased)
        try:
            return self._merge(who, row, todo, mode)
        except KeyUnavailable:
            return _all(todo, UpdateOutcome.LOCKED)
        except Unreadable:
            return _all(todo, UpdateOutcome.UNREADABLE)

    def _erased(self, todo: Sequence[_Numbered], mode: Mode) -> tuple[UUID, ...]:
        """The users to erase, if any; in live mode also the one that test keys have under the same id."""
        gone = next((update.user_id for _, update in todo if update.deleted), None)
        modes = tuple(Mode) if mode is Mode.LIVE else (mode,)
        return tuple(customer(self.vault, gone, each) for each in modes) if gone is not None else ()

    def _merge(self, who: UUID, row: User | None, todo: Sequence[_Numbered], mode: Mode) -> _Change:
        """Fold the updates of one user into one row to write.

        Raises:
            KeyUnavailable, Unreadable: the row cannot be opened, now or ever.
        """
        if row is not None and row.data_key is not None:
            wrapped, key = row.data_key, self.vault.unwrap(row.data_key, who)
        else:
            key = self.vault.create()
            wrapped = self.vault.wrap(key, who)
        profile = open_profile(key, who, row.profile) if row is not None and row.profile else Profile()
        at = _known_at(row, self.clock.now())
        outcomes: dict[int, UpdateOutcome] = {}
        for n, update in todo:
            if outdated(at, update):
                outcomes[n] = UpdateOutcome.OUTDATED
                continue
            outcomes[n] = UpdateOutcome.WRITTEN
            profile, at = merged(profile, update), update.source_time or at
        if UpdateOutcome.WRITTEN not in outcomes.values():
            return _Change(outcomes=outcomes)
        new = User(
            id=who,
            mode=mode,
            guest=False,
            data_key=wrapped,
            profile=seal_profile(key, who, profile),
            email_index=email_index(self.vault, profile.email) if profile.email else None,
            phone_index=phone_index(self.vault, profile.phone) if profile.phone else None,
            locale=profile.locale,
            timezone=profile.timezone,
            source_time=at,
        )
        return _Change(outcomes=outcomes, row=new, fence=_version(row))


def _version(row: User | None) -> int:
    return row.version if row is not None and row.data_key is not None else 0


def _known_at(row: User | None, now: datetime) -> datetime | None:
    """The time that an update must not be older than: of the last one, or of the erasure."""
    if row is None:
        return None
    return row.updated_at if row.data_key is None else standing(row.source_time, now)


def _late(erased: User, todo: Sequence[_Numbered], *, from_event: bool) -> bool:
    """Whether all updates are older than the erasure; an event without a time is taken for older."""
    return all(
        update.deleted or outdated(erased.updated_at, update) or (from_event and update.source_time is None)
        for _, update in todo
    )


def _all(todo: Sequence[_Numbered], outcome: UpdateOutcome, *, erase: tuple[UUID, ...] = ()) -> _Change:
    return _Change(outcomes={n: outcome for n, _ in todo}, erase=erase)
