"""An update of one customer: the fields it changes, and the profile that results."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from domain.kernel.errors import Fault
from domain.notification.request import Profile

Said = str | None | UnsetType
"""A value, null (clears it), or nothing at all (what was known stays)."""

FIELDS = ("email", "phone", "name", "locale", "timezone")
"""The fields that an update may change."""


class UserUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """New values of one customer."""

    user_id: str
    email: Said = UNSET
    phone: Said = UNSET
    name: Said = UNSET
    locale: Said = UNSET
    timezone: Said = UNSET
    addresses: Mapping[str, str] | UnsetType | None = UNSET
    """By channel: all that there are."""
    deleted: bool = False
    """The customer is gone: everything personal is erased, whatever `users` knows and since when."""
    source_time: datetime | None = None
    """When this was true (aware); what is older than the row is not applied.  None: take it as new."""


class UpdateOutcome(StrEnum):
    """What became of an update."""

    WRITTEN = "written"
    DELETED = "deleted"
    OUTDATED = "outdated"
    """`users` knows something newer."""
    GONE = "gone"
    """The user was erased; nothing is kept of them again."""
    INVALID = "invalid"
    """Strict callers only: see the faults; nothing was written."""
    CONFLICT = "conflict"
    """The row is not at the version the caller has seen."""
    LOCKED = "locked"
    """The profile is sealed under a key that this process does not have: another one has it, or will."""
    UNREADABLE = "unreadable"
    """The profile cannot be opened: its row was changed."""


class UpdatedUser(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to one update."""

    user: UUID
    outcome: UpdateOutcome
    faults: tuple[Fault, ...] = ()
    """Values that are no addresses; with `drop_invalid` they were cleared."""


EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""An earlier time was never set (year 1, 1970)."""
AHEAD_MAX = timedelta(days=2)
"""How far a time may be in the future; wrong clocks and wrong time zones are off by less."""
WAVER = timedelta(minutes=1)
"""How far the clocks of two processes may differ."""


def timed(update: UserUpdate, now: datetime) -> tuple[UserUpdate, Fault | None]:
    """The update with a plausible time, and the fault of its own time, if any.

    An implausible time is dropped; one in the near future becomes `now`.  Otherwise one event of the year
    9999 would make all later ones outdated.
    """
    stated = update.source_time
    if stated is None or EARLIEST <= stated <= now:
        return update, None
    if stated < EARLIEST or stated - now > AHEAD_MAX:
        fault = Fault("/time", "unlikely_time", f"a time from {EARLIEST.year} until now; it is left out")
        return msgspec.structs.replace(update, source_time=None), fault
    return msgspec.structs.replace(update, source_time=now), None


def standing(known: datetime | None, now: datetime) -> datetime | None:
    """The time of what `users` says; None when it cannot be right: then nothing is older."""
    believed = known is not None and known.tzinfo is not None and EARLIEST <= known <= now + WAVER
    return known if believed else None


def outdated(known: datetime | None, update: UserUpdate) -> bool:
    """Whether `users` knows something newer; the same instant is not newer, so replays are harmless."""
    return known is not None and update.source_time is not None and update.source_time < known


def merged(profile: Profile, update: UserUpdate) -> Profile:
    """The profile after an update."""
    said = {name: value for name in FIELDS if (value := getattr(update, name)) is not UNSET}
    if not isinstance(update.addresses, UnsetType):
        said["addresses"] = dict(update.addresses or {})
    return msgspec.structs.replace(profile, user_id=update.user_id, **said)
