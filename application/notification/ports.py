"""Accepting notifications, reading and cancelling them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from application.delivery.views import DeliveryView
from application.notification.views import HistoryView, NotificationView
from application.outbox.ports import OutboxMessage
from domain.kernel.channel import Lane, Mode, NotificationClass
from domain.kernel.json_values import Json
from domain.notification.routing import ChannelRoute, Routing

ASKED_MAX = timedelta(seconds=5)
"""Longest time from a request to its commit that counts against the deadline."""


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """A user to be there when the batch commits."""

    id: UUID
    mode: Mode = Mode.LIVE
    guest: bool
    data_key: bytes
    """Wrapped.  If another commit gave this user another key first, the batch is refused: `KeysChanged`."""
    profile: bytes | None
    """Sealed profile to write, or None; it does not overwrite what `users` says of a customer."""
    email_index: bytes | None = None
    phone_index: bytes | None = None
    locale: str | None = None
    timezone: str | None = None


class NewDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient on one channel; born with seq 1, `queued` or, with `standby`, behind another channel."""

    id: UUID
    user: UUID
    slot: str
    """Part of what `id` is made of: several deliveries of one recipient differ in it.  The channel, today."""
    content_key: bytes
    """The notification's content key, wrapped under the user's key."""
    channel: str | None = None
    """None: the notification's."""
    rank: int | None = None
    """Its turn among the channels of `routing: first`, from 1; None: it has no others to wait for."""

    @property
    def standby(self) -> bool:
        """Whether it waits for another channel to fail."""
        return self.rank is not None and self.rank > 1


class LegacyKey(msgspec.Struct, frozen=True):
    """The idempotency key of the same command as an earlier release made it: where it stands, it counts."""

    key: UUID
    fingerprint: bytes | None = None
    """It counts for this command alone; None: whatever was asked under it."""


class NewNotification(msgspec.Struct, frozen=True, kw_only=True):
    """One notification to commit."""

    id: UUID
    mode: Mode
    type: str
    klass: NotificationClass
    lane: Lane
    """Of its first channel."""
    template_id: str | None
    template_version: int | None
    routing: Routing | None = None
    routes: tuple[ChannelRoute, ...] = ()
    """Its channels, where there are several; () with one, which is `lane`'s."""
    category: str | None = None
    content: bytes
    """Sealed `Content` (JSON)."""
    metadata: bytes | None
    """JSON object, in the clear; None when empty."""
    created_by: str | None
    created_at: datetime
    """When it was asked for, as far as its process knows; see `accepted_at`."""
    deliveries: tuple[NewDelivery, ...]
    key: UUID | None
    """Keyed digest of the idempotency key; None: not idempotent."""
    fingerprint: bytes
    """Keyed digest of the canonical command (16 bytes)."""
    legacy_key: "LegacyKey | None" = None
    traceparent: str | None = None
    from_intake: bool = False
    """It comes from the intake: it was accepted while the database was away."""

    def accepted_at(self, now: datetime) -> datetime:
        """When it counts as accepted: deadlines begin there.

        Args:
            now: by the database's clock, which judges those deadlines.  What is asked for now was asked for
                within the last seconds, whatever another clock says.
        """
        return min(now, self.created_at if self.from_intake else max(self.created_at, now - ASKED_MAX))

    def lane_of(self, delivery: NewDelivery) -> Lane:
        """The lane of one of its deliveries."""
        if delivery.channel is None:
            return self.lane
        return Lane(delivery.channel, self.lane.priority, self.lane.mode)


class Created(msgspec.Struct, frozen=True):
    """This command was committed now."""

    notification: UUID


class Duplicate(msgspec.Struct, frozen=True):
    """The idempotency key exists already: nothing was committed for this command."""

    notification: UUID
    fingerprint: bytes
    """The fingerprint of the command that has the key."""


CommitResult = Created | Duplicate


class Committed(msgspec.Struct, frozen=True):
    """What became of a batch, in its order, and the messages committed with it."""

    results: list[CommitResult]
    messages: list[OutboxMessage]


class KeysChanged(Exception):
    """A user's key is not the one the batch was sealed under."""


class Acceptance(Protocol):
    """The write side of accepting.  Held to tests/contract/acceptance.py."""

    async def keys(self, users: Sequence[UUID]) -> dict[UUID, bytes]:
        """Wrapped keys of those users that have one."""
        ...

    async def accept(
        self,
        notifications: Sequence[NewNotification],
        users: Sequence[NewUser],
        pack: Callable[[Sequence[NewNotification]], list[OutboxMessage]],
    ) -> Committed:
        """Commit all of it in one transaction: keys, users, notifications, deliveries, history, outbox.

        `notifications` have distinct keys; `users` are distinct and hold every recipient, known ones too.
        `pack` makes the messages of those that are committed now.

        Raises:
            KeysChanged: nothing was committed.
            Invalid: the database refuses a value; nothing was committed (bisect to find whose).
            Misplaced: one's id has no partition; nothing was committed (the same).
            InFlight: others are accepting some of the keys (`keys` says which) and take longer than a lock is
                waited for; nothing was committed.
            StoreUnavailable: outcome unknown when a connection was lost: accept again with the same keys; or
                another lock was not free in time.
        """
        ...


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which notifications; all given must hold."""

    mode: str
    statuses: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    channel: str | None = None
    """One of its channels."""
    created_after: datetime | None = None
    created_before: datetime | None = None
    user: UUID | None = None
    created_by: str | None = None
    metadata: dict[str, Json] = {}
    """Exact match of each member."""


class Reader(Protocol):
    """Notifications and what became of them."""

    async def notification(self, notification: UUID, mode: str) -> NotificationView | None:
        """One."""
        ...

    async def notifications(self, wanted: Filter, before: UUID | None, limit: int) -> list[NotificationView]:
        """Newest first, behind `before`."""
        ...

    async def deliveries(
        self, notification: UUID, after: UUID | None, limit: int, *, statuses: tuple[str, ...] = ()
    ) -> list[DeliveryView]:
        """In id order, each with its attempts."""
        ...

    async def history(
        self, notification: UUID, after: tuple[UUID, int] | None, limit: int
    ) -> list[HistoryView]:
        """Every move of every delivery, in (delivery, n) order."""
        ...


class Cancelling(Protocol):
    """Stopping a notification."""

    async def mark(self, notification: UUID, mode: str) -> bool:
        """Set `cancelled_at` (once); False when there is no such notification."""
        ...

    async def sweep(self, notification: UUID, limit: int) -> int:
        """Cancel up to `limit` deliveries that nobody holds, with counters and history; return how many."""
        ...

    async def tally(self, notification: UUID) -> "CancelTally":
        """How it stands now."""
        ...


class CancelTally(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a cancel."""

    cancelled: int
    already_sent: int
    in_flight: int
