"""What processes tell each other of providers: who hears what, and what becomes of it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from uuid import UUID

import msgspec
import pytest

from application.broker.ports import Received
from application.provider.control_outbox import ControlOutbox
from application.provider.steering import ControlMessage
from domain.kernel.errors import BrokerUnavailable, StoreUnavailable
from domain.provider.forcing import Forced
from entrypoints.engine.control import ControlListener, ControlReporter
from tests.support.eventually import eventually
from tests.support.telemetry import RecordedTelemetry

ME, OTHER = UUID(int=1), UUID(int=2)
HELD = ControlMessage(provider="twilio", held=timedelta(seconds=65))


class Exchange:
    """A fanout to everybody who has subscribed, the one who speaks too."""

    def __init__(self) -> None:
        self.queues: list[asyncio.Queue[bytes]] = []
        self.away = 0
        """So many calls find no broker."""

    def _there(self) -> None:
        if self.away:
            self.away -= 1
            raise BrokerUnavailable("away")

    async def publish(self, body: bytes) -> None:
        self._there()
        for queue in self.queues:
            queue.put_nowait(body)

    async def subscribe(self) -> "Listening":
        self._there()
        self.queues.append(asyncio.Queue())
        return Listening(self.queues[-1])


class Listening:
    """Implements `Subscription`."""

    def __init__(self, queue: "asyncio.Queue[bytes]") -> None:
        self._queue = queue

    async def take(self, limit: int, size: int = 0) -> list[Received]:
        return [Received(tag=1, body=await self._queue.get())]

    async def ack(self, tags: Sequence[int]) -> None:
        assert tags

    async def refuse(self, tags: Sequence[int]) -> None:
        raise AssertionError(tags)

    async def close(self) -> None:
        """Nothing is held."""


class Process:
    """One process: what it was told of its providers."""

    def __init__(self, exchange: Exchange, id_: UUID) -> None:
        self.outbox, self.telemetry = ControlOutbox(), RecordedTelemetry()
        self.holds: list[tuple[str, timedelta | None]] = []
        self.looks = 0
        self.store_away = False
        self.reporter = ControlReporter(
            exchange=exchange, outbox=self.outbox, process=id_, telemetry=self.telemetry, again=0.01
        )
        self.listener = ControlListener(
            exchange=exchange,
            states=self,
            forced=self.look,
            process=id_,
            telemetry=self.telemetry,
            again=0.01,
        )

    def force(self, forced: Mapping[str, Forced]) -> None:
        raise AssertionError(forced)

    def hold(self, provider: str, held: timedelta | None) -> None:
        self.holds.append((provider, held))

    def stopped(self) -> Mapping[str, str]:
        return {}

    async def look(self) -> None:
        self.looks += 1
        if self.store_away:
            raise StoreUnavailable("away")


@pytest.fixture
async def fleet():
    exchange = Exchange()
    mine, other = Process(exchange, ME), Process(exchange, OTHER)
    actors = [actor for each in (mine, other) for actor in (each.reporter, each.listener)]
    running = [asyncio.create_task(actor.run()) for actor in actors]
    await eventually(lambda: len(exchange.queues) == 2)
    yield exchange, mine, other
    for actor in actors:
        actor.stop()
    await asyncio.gather(*running)


async def test_the_others_hear_it_and_who_says_it_does_not_hold_itself_off(fleet):
    _, mine, other = fleet
    mine.outbox.notify(HELD)
    mine.outbox.notify(ControlMessage(provider="twilio"))
    await eventually(lambda: len(other.holds) == 2)
    assert other.holds == [("twilio", HELD.held), ("twilio", None)]
    assert mine.holds == []


async def test_what_an_operator_decides_is_looked_at_by_the_others(fleet):
    _, mine, other = fleet
    other.store_away = True
    mine.outbox.notify(ControlMessage(provider="twilio", forced=True))
    mine.outbox.notify(HELD)
    await eventually(lambda: other.holds)
    assert (other.looks, mine.looks) == (1, 0)


async def test_what_cannot_be_read_stops_nothing(fleet):
    exchange, mine, other = fleet
    await exchange.publish(b"{")
    mine.outbox.notify(HELD)
    await eventually(lambda: other.holds)
    assert other.telemetry.troubled_by("control.unreadable")


async def test_a_message_that_finds_no_broker_is_lost_and_the_next_one_goes_out(fleet):
    exchange, mine, other = fleet
    exchange.away = 1
    mine.outbox.notify(HELD)
    await eventually(lambda: exchange.away == 0)
    mine.outbox.notify(ControlMessage(provider="vonage"))
    await eventually(lambda: other.holds)
    assert other.holds == [("vonage", None)]


def test_a_message_of_an_earlier_release_has_no_sender():
    assert msgspec.json.decode(b'{"provider":"twilio"}', type=ControlMessage).sender is None
