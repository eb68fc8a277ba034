"""The delivery engine's rows: lease, begin, settle; all set-wise, all fenced.

A lease raises the row's `attempt`: that number is the fencing token.  Each lease makes at most one attempt
row; a number without a row is a lease that made no call.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

import msgspec

from application.device.ports import DeviceResult, LeasedDevice
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import AddressedBy, Lane, Mode, NotificationClass, Priority

STRIKES_FREE = 1
"""Strikes without consequences: a worker may die for reasons that no delivery of its causes."""
BROKER_UI = "broker-ui"
"""The actor in the history when a message was moved from a `.dlq` to its lane in the broker's UI."""


class Leased(msgspec.Struct, frozen=True, kw_only=True):
    """One delivery that is ours until its lease ends, with all that deciding and sending need."""

    id: UUID
    seq: int
    attempt: int
    """The fencing token: quote it in begin and settle."""
    attempts_counted: int
    strikes: int
    """Consecutive leases that expired because their workers died."""
    interrupted: bool
    """A call of an earlier lease never settled, nothing is decided since: it is `unknown` and counted."""
    lost: str | None = None
    """Provider of such a call, when it was this lease that found it out."""
    notification: UUID
    user: UUID
    channel: str
    priority: Priority
    klass: NotificationClass
    mode: Mode
    type: str
    accepted_at: datetime
    """Patience and deadline count from here: acceptance, or the last replay."""
    cancelled: bool
    suppressed: str | None
    channel_enabled: bool
    channel_paused: bool
    addressed_by: AddressedBy | None = None
    """What addresses a user on this channel; None: it is built in."""
    providers: tuple[str, ...]
    """Of the channel, in order of preference."""
    failovers: int = 0
    """Providers that have failed with this delivery in the present round: the next one is called first."""
    turn: tuple[int, int] | None = None
    """Its place, from 1, among so many channels that are tried in turn."""
    template_id: str | None
    template_version: int | None
    content: bytes
    content_key: bytes
    data_key: bytes | None
    """The user's wrapped key; None: erased."""
    profile: bytes | None
    traceparent: str | None = None
    """Of the request (W3C Trace Context), for logs."""
    devices: tuple[LeasedDevice, ...] = ()  # of a push delivery


class NotDueYet(msgspec.Struct, frozen=True):
    """A pointer that is published to its lane again after `wait`."""

    pointer: Pointer
    wait: timedelta


class StruckDelivery(msgspec.Struct, frozen=True):
    """A free delivery that was not leased, because more of its workers died than `strikes_max` allows."""

    pointer: Pointer
    strikes: int
    """Consecutive leases that expired because their workers died."""


class UnreadableDelivery(msgspec.Struct, frozen=True):
    """A leased delivery whose row cannot be decoded."""

    delivery: UUID
    attempt: int
    reason: str


class Leases(msgspec.Struct, frozen=True, kw_only=True):
    """The result of leasing.  Pointers that are nowhere in it are stale: drop and ack them."""

    taken: list[Leased]
    unreadable: list[UnreadableDelivery] = []
    """Leased as well: to be settled as failed."""
    later: list[NotDueYet] = []
    """Somebody else's lease still runs, or its time has not come."""
    struck: list[StruckDelivery] = []
    """Not leased: they have more strikes than `strikes_max`."""
    replayed: int = 0
    """Open dead letters among the pointers: an operator has moved them from the `.dlq` to the lane."""
    messages: list[OutboxMessage] = []
    """The committed messages of these replays."""
    facts_at: datetime
    """Database clock before the facts were read: `cleared_at` of what the gate clears on them."""


class Begin(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt to commit before its call."""

    delivery: UUID
    attempt: int
    provider: str
    asks: bool = False
    """The provider is asked about earlier calls first: they stay open."""


class Settlement(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a lease: with `outcome` the end of its attempt, without one no call was begun."""

    delivery: UUID
    attempt: int
    status: DeliveryStatus
    """SENT, UNKNOWN (held), FAILED, SUPPRESSED, CANCELLED or QUEUED: CANCELLED, if the notification is."""
    reason: str | None = None
    outcome: str | None = None
    """Tag of the outcome: accepted, deferred, refused, unknown, not_called."""
    reference: str | None = None
    due: datetime | None = None
    """With QUEUED: not before; None: at once."""
    counts: bool = False
    failovers: int | None = None
    """Providers that have failed in the present round; None: as before."""
    latency: timedelta | None = None  # of the call
    devices: tuple[DeviceResult, ...] = ()
    """Of a push delivery; with `failovers` 0 a new round begins for all its devices."""
    resolution: str | None = None
    """What this decides about earlier calls without an answer; None: what follows from the status."""
    stays_open: bool = False
    """Nothing is decided yet about the call that this ends without an answer."""


class Settled(msgspec.Struct, frozen=True):
    """What a settle did: the messages it committed (retries, dead letters), and who was overtaken."""

    messages: list[OutboxMessage]
    overtaken: list[UUID]
    """Deliveries whose lease was no longer ours: nothing was written for them."""


class Deliveries(Protocol):
    """Held to tests/contract/deliveries.py."""

    async def lease(
        self, pointers: Sequence[Pointer], *, lease: timedelta, strikes_max: int = STRIKES_FREE
    ) -> Leases:
        """One statement: take what is queued at this seq and due, or was left behind by a dead worker.

        Args:
            strikes_max: leave alone what more workers have died with: who leases it risks all he holds.

        Raises:
            StoreUnavailable: nothing is leased, or the leases lapse by themselves.
        """
        ...

    async def begin(self, attempts: Sequence[Begin], *, cleared_at: datetime) -> frozenset[UUID]:
        """One statement: commit attempt rows; return the deliveries whose lease was still ours.

        Raises:
            StoreUnavailable: make no call.
        """
        ...

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        """One transaction: states, attempts, history, counters, dead letters, outbox.

        QUEUED raises seq and issues a pointer; FAILED raises seq, opens a dead letter and sends the pointer
        to the lane's `.dlq`.

        Raises:
            StoreUnavailable: outcome unknown; settling again is safe (fenced).
        """
        ...

    async def postpone(self, lane: Lane, pointers: Sequence[NotDueYet]) -> list[OutboxMessage]:
        """Commit outbox rows that bring pointers back to their lane after a while; no row changes."""
        ...


class Renewals(Protocol):
    """For calls that take longer than a lease.  Held to tests/contract/leasing.py."""

    async def renew(self, calls: Mapping[UUID, int], *, lease: timedelta) -> frozenset[UUID]:
        """One statement: leases last `lease` from now on; return those that are still ours.

        Args:
            calls: the attempt of each delivery.  A lease that has ended is still ours while nobody took it.

        Raises:
            StoreUnavailable: try again; nobody takes a lease over meanwhile.
        """
        ...


class Files(Protocol):
    """Files that the shop has on the web."""

    async def fetch(self, url: str, most: int) -> str:
        """The content in base64.

        Args:
            most: bytes, before base64.

        Raises:
            Unfetched: it is not there, too large, or where it must not be looked for.
        """
        ...


class ClearanceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What may have changed about a delivery since it was cleared."""

    delivery: UUID
    attempt: int
    cancelled: bool
    suppressed: str | None
    channel_enabled: bool
    channel_paused: bool
    erased: bool
    read_at: datetime
    """Database clock before this was read: the attempt's `cleared_at` from now on."""


class Clearances(Protocol):
    """Clearing again what is begun.  Held to tests/contract/clearing.py."""

    async def clear(self, attempts: Sequence[tuple[UUID, int]]) -> list[ClearanceFacts]:
        """One statement: how these (delivery, attempt) stand that are begun, open, and whose lease is ours.

        Raises:
            StoreUnavailable: make no call.
        """
        ...
