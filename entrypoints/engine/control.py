"""The control exchange: what processes tell each other of providers.  Losing a message does no harm.

Each process has a queue that ends with its connection.  What is said is true for a while only, and what
operators have decided stands in the database, where every process looks now and then.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from application.provider.control_outbox import ControlOutbox
from application.provider.steering import ControlExchange, ControlMessage, SteeredProviders
from domain.kernel.errors import BrokerUnavailable, StoreUnavailable
from entrypoints.engine.actor import pause, unless
from entrypoints.engine.telemetry import Telemetry

AGAIN = 2.0
"""Seconds until it is tried again, when the broker is away."""
TAKEN_MAX = 100

_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(ControlMessage).decode


@dataclass(slots=True, kw_only=True)
class ControlReporter:
    """Notifies the others of what this process has found out."""

    exchange: ControlExchange
    outbox: ControlOutbox
    process: UUID
    telemetry: Telemetry
    again: float = AGAIN
    name: str = "control reporter"
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until stopped."""
        await _again(self._report, self._stopping, self.telemetry, self.again)

    def stop(self) -> None:
        """Say nothing more."""
        self._stopping.set()

    async def _report(self) -> None:
        while True:
            message = msgspec.structs.replace(await self.outbox.next(), sender=self.process)
            await self.exchange.publish(_encode(message))


@dataclass(slots=True, kw_only=True)
class ControlListener:
    """Listens to the others.

    Args:
        forced: reads what operators have decided.
    """

    exchange: ControlExchange
    states: SteeredProviders
    forced: Callable[[], Awaitable[None]]
    process: UUID
    telemetry: Telemetry
    again: float = AGAIN
    name: str = "control listener"
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Until stopped."""
        await _again(self._listen, self._stopping, self.telemetry, self.again)

    def stop(self) -> None:
        """Hear nothing more."""
        self._stopping.set()

    async def _listen(self) -> None:
        subscription = await self.exchange.subscribe()
        try:
            while True:
                received = await subscription.take(TAKEN_MAX)
                await subscription.ack([each.tag for each in received])
                for each in received:
                    await self._heard(each.body)
        finally:
            await subscription.close()

    async def _heard(self, body: bytes) -> None:
        try:
            message = _decode(body)
        except msgspec.DecodeError:
            self.telemetry.trouble("control.unreadable")  # of a later release, or somebody else's
            return
        if message.sender == self.process:
            return
        if not message.forced:
            self.states.hold(message.provider, message.held)
            return
        try:
            await self.forced()
        except StoreUnavailable as away:
            self.telemetry.wide("control.waits", reason=str(away))


async def _again(
    work: Callable[[], Awaitable[None]], stopping: asyncio.Event, telemetry: Telemetry, again: float
) -> None:
    while not stopping.is_set():
        try:
            await unless(stopping, work())
        except BrokerUnavailable as away:
            telemetry.wide("control.waits", reason=str(away))
            await pause(again, stopping)
