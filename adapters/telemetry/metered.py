"""Ports that time and count what passes through them, and change nothing else about it."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from adapters.telemetry.telemetry import PrometheusTelemetry
from application.broker.ports import Outgoing, Published, Publisher
from application.delivery.ports import STRIKES_FREE, Begin, Deliveries, Leases, NotDueYet, Settled, Settlement
from application.intake.command import INTAKE
from application.kernel.ports import Clock
from application.notification.ports import Acceptance, Committed, Created, NewNotification, NewUser
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage
from application.provider.ports import Gateway, Gateways, OutboundMessage
from domain.kernel.channel import Lane
from domain.kernel.ids import time_of
from domain.provider.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredAcceptance:
    """Counts what was committed, by type and priority."""

    acceptance: Acceptance
    telemetry: PrometheusTelemetry
    clock: Clock

    async def keys(self, users: Sequence[UUID]) -> dict[UUID, bytes]:
        """See `Acceptance`."""
        return await self.acceptance.keys(users)

    async def accept(
        self,
        notifications: Sequence[NewNotification],
        users: Sequence[NewUser],
        pack: Callable[[Sequence[NewNotification]], list[OutboxMessage]],
    ) -> Committed:
        """See `Acceptance`."""
        started = self.clock.monotonic()
        committed = await self.acceptance.accept(notifications, users, pack)
        self.telemetry.stage("commit", self.clock.monotonic() - started)
        created = Counter(
            (notification.type, notification.lane.priority.label)
            for notification, result in zip(notifications, committed.results, strict=True)
            if isinstance(result, Created)
        )
        for (type_, priority), count in created.items():
            self.telemetry.accepted(type_, priority, count)
        return committed


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredDeliveries:
    """Counts the calls that are found without an answer because their workers died."""

    deliveries: Deliveries
    telemetry: PrometheusTelemetry

    async def lease(
        self, pointers: Sequence[Pointer], *, lease: timedelta, strikes_max: int = STRIKES_FREE
    ) -> Leases:
        """See `Deliveries`."""
        leases = await self.deliveries.lease(pointers, lease=lease, strikes_max=strikes_max)
        for leased in leases.taken:
            if leased.lost is not None:
                self.telemetry.unanswered(leased.channel, leased.lost)
        return leases

    async def begin(self, attempts: Sequence[Begin], *, cleared_at: datetime) -> frozenset[UUID]:
        """See `Deliveries`."""
        return await self.deliveries.begin(attempts, cleared_at=cleared_at)

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        """See `Deliveries`."""
        return await self.deliveries.settle(settlements)

    async def postpone(self, lane: Lane, later: Sequence[NotDueYet]) -> list[OutboxMessage]:
        """See `Deliveries`."""
        return await self.deliveries.postpone(lane, later)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredPublisher:
    """Measures the way from acceptance to the broker's confirm: a message's id carries when it was made.

    Counts what is promised: messages to the intake.
    """

    publisher: Publisher
    telemetry: PrometheusTelemetry
    clock: Clock

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        """See `Publisher`."""
        published = await self.publisher.publish(messages)
        now, confirmed = self.clock.now(), frozenset(published.confirmed)
        for message in messages:
            if message.id in confirmed and (priority := _priority(message.queue)):
                waited = (now - time_of(message.id)).total_seconds()
                self.telemetry.metrics.to_queue.labels(priority).observe(max(0.0, waited))
            elif message.queue == INTAKE and message.id in confirmed:
                self.telemetry.metrics.promised.inc()
        return published


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredGateway:
    """Times each call."""

    gateway: Gateway
    provider: str
    telemetry: PrometheusTelemetry
    clock: Clock

    async def send(self, message: OutboundMessage) -> Outcome:
        """See `Gateway`."""
        started = self.clock.monotonic()
        outcome = await self.gateway.send(message)
        self.telemetry.called(self.provider, self.clock.monotonic() - started)
        return outcome


class MeteredGateways:
    """Each provider's gateway with its meter."""

    def __init__(self, gateways: Gateways, telemetry: PrometheusTelemetry, clock: Clock) -> None:
        self._gateways, self._telemetry, self._clock = gateways, telemetry, clock
        self._metered: dict[str, MeteredGateway] = {}

    def push_services(self, provider: str) -> frozenset[str]:
        """See `Gateways`."""
        return self._gateways.push_services(provider)

    def named(self, provider: str) -> Gateway | None:
        """See `Gateways`."""
        gateway = self._gateways.named(provider)
        if gateway is None:
            return None
        if (known := self._metered.get(provider)) is not None and known.gateway is gateway:
            return known
        self._metered[provider] = MeteredGateway(
            gateway=gateway, provider=provider, telemetry=self._telemetry, clock=self._clock
        )
        return self._metered[provider]


def _priority(queue: str) -> str | None:
    try:
        return Lane.parse(queue).word
    except ValueError:
        return None
