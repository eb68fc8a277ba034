"""Ports of the engine, each with an eye that tells the watch what passes through."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from application.event.result import Result
from application.messages.pointers import Pointer
from application.ports.acceptance import Acceptance, Committed, NewNotification, NewPerson
from application.ports.deliveries import Begin, Deliveries, Later, Leases, Settled, Settlement
from application.ports.gateway import Gateway, Gateways, Message
from application.ports.outbox import OutboxMessage
from domain.delivery.outcome import Accepted, Outcome
from domain.kernel.channel import Lane
from domain.notification.trigger import Event
from entrypoints.demo.watch import Watch

Handle = Callable[[Sequence[Event]], Awaitable[Sequence[Result]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedAcceptance:
    """Implements `Acceptance`."""

    acceptance: Acceptance
    watch: Watch

    async def keys(self, persons: Sequence[UUID]) -> dict[UUID, bytes]:
        """See `Acceptance`."""
        return await self.acceptance.keys(persons)

    async def accept(
        self,
        notifications: Sequence[NewNotification],
        persons: Sequence[NewPerson],
        pack: Callable[[Sequence[NewNotification]], list[OutboxMessage]],
    ) -> Committed:
        """See `Acceptance`."""
        committed = await self.acceptance.accept(notifications, persons, pack)
        self.watch.accepted(notifications, committed)
        return committed


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedDeliveries:
    """Implements `Deliveries`."""

    deliveries: Deliveries
    watch: Watch

    async def lease(self, pointers: Sequence[Pointer], *, lease: timedelta) -> Leases:
        """See `Deliveries`."""
        return await self.deliveries.lease(pointers, lease=lease)

    async def begin(self, attempts: Sequence[Begin], *, cleared_at: datetime) -> frozenset[UUID]:
        """See `Deliveries`."""
        return await self.deliveries.begin(attempts, cleared_at=cleared_at)

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        """See `Deliveries`."""
        settled = await self.deliveries.settle(settlements)
        for settlement in settlements:
            if settlement.delivery not in settled.overtaken:
                self.watch.settled(settlement)
        return settled

    async def postpone(self, lane: Lane, pointers: Sequence[Later]) -> list[OutboxMessage]:
        """See `Deliveries`."""
        return await self.deliveries.postpone(lane, pointers)


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedGateways:
    """Implements `Gateways`."""

    gateways: Gateways
    watch: Watch

    def named(self, provider: str) -> Gateway | None:
        """See `Gateways`."""
        gateway = self.gateways.named(provider)
        return gateway and _WatchedGateway(gateway=gateway, watch=self.watch)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WatchedGateway:
    gateway: Gateway
    watch: Watch

    async def send(self, message: Message) -> Outcome:
        """See `Gateway`."""
        outcome = await self.gateway.send(message)
        if isinstance(outcome, Accepted):
            self.watch.called(message)
        return outcome


def ports(watch: Watch) -> dict[str, Callable[[Any], object]]:
    """For each port by its name in the container, what puts an eye on it."""
    return {
        "acceptance": lambda acceptance: WatchedAcceptance(acceptance=acceptance, watch=watch),
        "deliveries": lambda deliveries: WatchedDeliveries(deliveries=deliveries, watch=watch),
        "gateways": lambda gateways: WatchedGateways(gateways=gateways, watch=watch),
    }


def watched(handle: Handle, watch: Watch) -> Handle:
    """`HandleEvents` with an eye."""

    async def handled(events: Sequence[Event]) -> Sequence[Result]:
        results = await handle(events)
        for event, result in zip(events, results, strict=True):
            watch.handled(event, result)
        return results

    return handled
