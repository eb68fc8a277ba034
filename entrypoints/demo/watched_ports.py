"""Ports of the engine, wrapped so that the watch sees what passes through."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from application.delivery.ports import Deliveries, Settled, Settlement
from application.event.result import Result
from application.notification.ports import Acceptance, Committed, NewNotification, NewUser
from application.outbox.ports import OutboxMessage
from application.provider.ports import Gateway, Gateways, OutboundMessage
from config.container import Container
from domain.provider.outcome import Accepted, Outcome
from domain.trigger.trigger import ShopEvent
from entrypoints.demo.watch import Watch

Handle = Callable[[Sequence[ShopEvent]], Awaitable[Sequence[Result]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedAcceptance:
    """Implements `Acceptance`."""

    acceptance: Acceptance
    watch: Watch

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
        committed = await self.acceptance.accept(notifications, users, pack)
        self.watch.accepted(notifications, committed)
        return committed


class WatchedDeliveries:
    """Implements `Deliveries`: settling is watched, everything else passes as it is."""

    def __init__(self, deliveries: Deliveries, watch: Watch) -> None:
        self._deliveries = deliveries
        self._watch = watch

    def __getattr__(self, name: str) -> Any:  # the wrapped object's
        return getattr(self._deliveries, name)

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        """See `Deliveries`."""
        settled = await self._deliveries.settle(settlements)
        for settlement in settlements:
            if settlement.delivery not in settled.overtaken:
                self._watch.settled(settlement)
        return settled


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchedGateways:
    """Implements `Gateways`."""

    gateways: Gateways
    watch: Watch

    def push_services(self, provider: str) -> frozenset[str]:
        """See `Gateways`."""
        return self.gateways.push_services(provider)

    def named(self, provider: str) -> Gateway | None:
        """See `Gateways`."""
        gateway = self.gateways.named(provider)
        return gateway and _WatchedGateway(gateway=gateway, watch=self.watch, provider=provider)


@dataclass(frozen=True, slots=True, kw_only=True)
class _WatchedGateway:
    gateway: Gateway
    watch: Watch
    provider: str

    async def send(self, message: OutboundMessage) -> Outcome:
        """See `Gateway`."""
        outcome = await self.gateway.send(message)
        if isinstance(outcome, Accepted):
            self.watch.called(self.provider, message)
        return outcome


def watch_ports(container: Container, watch: Watch) -> None:
    """Wrap three ports of the container; call it before the use cases are made."""
    acceptance, deliveries = container.notification.acceptance, container.delivery.deliveries
    gateways = container.provider.gateways
    acceptance.override(WatchedAcceptance(acceptance=acceptance(), watch=watch))
    deliveries.override(WatchedDeliveries(deliveries(), watch))
    gateways.override(WatchedGateways(gateways=gateways(), watch=watch))


def watched(handle: Handle, watch: Watch) -> Handle:
    """`HandleEvents`, watched."""

    async def handled(events: Sequence[ShopEvent]) -> Sequence[Result]:
        results = await handle(events)
        for event, result in zip(events, results, strict=True):
            watch.handled(event, result)
        return results

    return handled
