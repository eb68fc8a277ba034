"""The tables, in memory: one state that all in-memory adapters share, with the columns of PostgreSQL's.

An adapter changes rows between two awaits, so a change is whole or not at all, like a transaction.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from application.access.ports import ApiKey
from application.channel.ports import Channel
from application.dead_letter.ports import Selection
from application.device.ports import DeviceResult, DeviceRow
from application.job.ports import JobKind
from application.kernel.ports import Clock
from application.kernel.versioned import Versioned
from application.outbox.ports import OutboxMessage
from application.provider.ports import SANDBOX, DescribedProvider
from application.user.ports import User
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import CHANNELS, Lane, Mode, NotificationClass, Priority
from domain.notification.rollup import NotificationStatus
from domain.notification.routing import ChannelRoute, Routing
from domain.notification_type.notification_type import NotificationType
from domain.provider.forcing import ForcedProvider
from domain.template.template import Template
from domain.trigger.trigger import Trigger

_BESIDE = {"in_app": ("in_app",)}
"""Built-in channels whose provider is not the sandbox."""


@dataclass(slots=True, kw_only=True)
class NotificationRow:
    """`notifications`; the counters are `counts`, by bucket."""

    id: UUID
    mode: Mode
    type: str
    klass: NotificationClass
    channel: str
    priority: Priority
    template_id: str | None
    template_version: int | None
    category: str | None = None
    routing: Routing | None = None
    routes: tuple[ChannelRoute, ...] = ()
    content: bytes
    metadata: dict[str, Any]
    created_by: str | None
    traceparent: str | None = None
    status: NotificationStatus = NotificationStatus.QUEUED
    expanded: bool = True
    counts: dict[str, int] = field(default_factory=dict)
    cancelled_at: datetime | None = None
    reason: str | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class DeliveryRow:
    """`notification_deliveries`."""

    id: UUID
    notification_id: UUID
    user_id: UUID
    slot: str
    channel: str
    priority: Priority
    rank: int | None = None
    content_key: bytes
    status: DeliveryStatus = DeliveryStatus.QUEUED
    seq: int = 1
    attempt: int = 0
    attempts_counted: int = 0
    failovers: int = 0
    strikes: int = 0
    epoch: int = 0
    epoch_at: datetime | None = None
    not_before: datetime | None = None
    lease_until: datetime | None = None
    begun_at: datetime | None = None
    held_at: datetime | None = None
    provider: str | None = None
    reason: str | None = None
    sent_at: datetime | None = None
    created_at: datetime
    updated_at: datetime


@dataclass(slots=True, kw_only=True)
class AttemptRow:
    """`delivery_attempts`."""

    delivery_id: UUID
    attempt: int
    provider: str
    worker: UUID
    cleared_at: datetime
    begun_at: datetime
    settled_at: datetime | None = None
    outcome: str = "open"
    reference: str | None = None
    reason: str | None = None
    latency_ms: float | None = None


@dataclass(slots=True, kw_only=True)
class DeviceResultRow:
    """`delivery_devices`."""

    epoch: int
    attempt: int
    result: DeviceResult
    at: datetime


@dataclass(slots=True, kw_only=True)
class HistoryRow:
    """`delivery_status_history`; a row's number is its place in the delivery's list, from 1."""

    status: DeliveryStatus
    reason: str | None = None
    actor: str | None = None
    at: datetime


@dataclass(slots=True, kw_only=True)
class KeyRow:
    """`idempotency_keys`."""

    fingerprint: bytes
    notification_id: UUID
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class OutboxRow:
    """`outbox`."""

    message: OutboxMessage
    owner: UUID
    created_at: datetime


@dataclass(slots=True, kw_only=True)
class DeadLetterRow:
    """`dead_letter_queue`."""

    delivery_id: UUID
    seq: int
    notification_id: UUID
    mode: Mode
    type: str
    channel: str
    priority: Priority
    provider: str | None
    reason: str
    fingerprint: str
    attempts: int
    created_at: datetime
    alerted_at: datetime | None = None
    alert_after: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    resolution: str | None = None
    note: str | None = None


@dataclass(slots=True, kw_only=True)
class UnknownRow:
    """`unknown_attempts`."""

    delivery_id: UUID
    attempt: int
    notification_id: UUID
    channel: str
    provider: str | None
    reason: str
    created_at: datetime
    resolved_at: datetime | None = None
    resolved_by: str | None = None
    resolution: str | None = None


@dataclass(slots=True, kw_only=True)
class JobRow:
    """`jobs`."""

    id: UUID
    kind: JobKind
    selection: Selection
    actor: str
    note: str | None
    total: int
    done: int = 0
    skipped: int = 0
    position: tuple[datetime, UUID, int] | None = None
    error: str | None = None
    created_at: datetime
    updated_at: datetime
    finished_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def mode(self) -> str:
        """A column of its own in the table."""
        return self.selection.mode


class MemoryRows:
    """The tables of a store in memory, each a mapping from its primary key to a row."""

    def __init__(self, clock: Clock) -> None:
        """Start empty, but with the channels that a migrated database has.

        Args:
            clock: stands for the database's.
        """
        self.clock = clock
        self.users: dict[UUID, User] = {}
        self.devices: dict[bytes, DeviceRow] = {}
        self.device_results: dict[tuple[UUID, bytes], DeviceResultRow] = {}
        self.notifications: dict[UUID, NotificationRow] = {}
        self.aliases: dict[UUID, UUID] = {}  # to the notification they stand for
        self.deliveries: dict[UUID, DeliveryRow] = {}
        self.attempts: dict[UUID, dict[int, AttemptRow]] = {}  # by delivery, then number
        self.history: dict[UUID, list[HistoryRow]] = {}  # by delivery
        self.idempotency: dict[UUID, KeyRow] = {}
        self.outbox: dict[UUID, OutboxRow] = {}
        self.processes: set[UUID] = set()  # those that live
        self.dead_letters: dict[tuple[UUID, int], DeadLetterRow] = {}
        self.unknown: dict[tuple[UUID, int], UnknownRow] = {}
        self.jobs: dict[UUID, JobRow] = {}
        self.suppressions: dict[tuple[str, bytes], str] = {}  # (channel, address index) -> reason
        self.templates: dict[str, list[Template]] = {}  # version n at n - 1
        self.active_templates: dict[str, int] = {}
        self.notification_types: dict[str, Versioned[NotificationType]] = {}
        self.triggers: dict[str, Versioned[Trigger]] = {}
        self.channels: dict[str, Versioned[Channel]] = {
            name: Versioned(Channel(channel=name, providers=_BESIDE.get(name, (SANDBOX,))), 1, clock.now())
            for name in CHANNELS
        }
        self.described: dict[str, Versioned[DescribedProvider]] = {}
        self.forced: dict[str, Versioned[ForcedProvider]] = {}
        self.api_keys: dict[bytes, ApiKey] = {}  # by digest
        self.markers: dict[UUID, bool] = {}  # of the broker: whether it is the one that must be there
        self.overdue: dict[UUID, tuple[datetime, int]] = {}  # by delivery: when to look again, and how often
        self.alone: UUID | None = None  # the process that issues everything again

    def lane(self, row: DeliveryRow) -> Lane:
        """Return the lane of a delivery."""
        return Lane(row.channel, row.priority, self.notifications[row.notification_id].mode)

    def record(
        self, row: DeliveryRow, status: DeliveryStatus, reason: str | None = None, actor: str | None = None
    ) -> None:
        """Add a line to a delivery's history, at the time of its last change."""
        self.history[row.id].append(HistoryRow(status=status, reason=reason, actor=actor, at=row.updated_at))

    def resolve(self, delivery: UUID, resolution: str, actor: str | None = None) -> None:
        """Close what is open among a delivery's unknown attempts."""
        for row in self.unknown.values():
            if row.delivery_id == delivery and row.resolved_at is None:
                row.resolved_at, row.resolved_by, row.resolution = self.clock.now(), actor, resolution

    def devices_of(self, user: UUID) -> list[DeviceRow]:
        """Return the devices of a user who is not erased, the last seen first."""
        known = self.users.get(user)
        if known is None or known.data_key is None:
            return []
        found = [row for row in self.devices.values() if row.user_id == user]
        found.sort(key=lambda row: (-row.seen.timestamp(), row.id))
        return [msgspec.structs.replace(row, data_key=known.data_key) for row in found]

    def deliveries_of(self, notification: UUID) -> list[DeliveryRow]:
        """Return the deliveries of a notification in the order of their ids."""
        found = [row for row in self.deliveries.values() if row.notification_id == notification]
        return sorted(found, key=lambda row: row.id)
