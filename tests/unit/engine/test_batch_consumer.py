"""The consumer of shop events over the broker in process: what is acked, kept, parked, and when."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from adapters.memory.broker import MemoryBroker, MemoryEvents
from adapters.system import SystemIds
from application.broker.ports import Outgoing, Published, Received
from application.broker.ports import OutgoingEvent as Emitted
from application.event.result import Done, RejectedEvent, Result, TryAgainLater
from domain.kernel.errors import BrokerUnavailable, Fault
from domain.trigger.trigger import ShopEvent
from entrypoints.amqp.parking import CRITICAL, ORDINARY, PARKED
from entrypoints.amqp.shop_events import EventBatches
from entrypoints.engine.consumer.batch_consumer import BATCH_BYTES, PREFETCHED_BYTES, BatchConsumer
from tests.support.eventually import eventually, steadily
from tests.support.telemetry import RecordedTelemetry
from tests.support.virtual_time import VirtualClock

DEFINITIONS = json.loads((Path(__file__).parents[3] / "rabbitmq" / "definitions.json").read_text())


class Line:
    """A consumer on a broker; `handle` answers as the test says."""

    def __init__(self, queue: str = ORDINARY, *, batch_max: int = 200) -> None:
        self.broker = MemoryBroker(DEFINITIONS, VirtualClock())
        self.shop = MemoryEvents(self.broker, "shop.events")
        self.telemetry = RecordedTelemetry()
        self.handled: list[list[str]] = []
        self.answer: Callable[[ShopEvent], Awaitable[Result]] = self.done
        self.publish_parked: Callable[[Sequence[Outgoing]], Awaitable[Published]] = self.broker.publish
        self.batches = EventBatches(
            handle=self.handle, publisher=self, ids=SystemIds(), telemetry=self.telemetry
        )
        self.consumer = self.consumer_of(queue, batch_max)
        self.task: asyncio.Task[None] | None = None

    def consumer_of(self, queue: str, batch_max: int = 200) -> BatchConsumer:
        return BatchConsumer(
            name=queue,
            consumer=self.broker,
            batches=self.batches,
            clock=VirtualClock(),
            batch_max=batch_max,
        )

    async def publish(self, messages: Sequence[Outgoing]) -> Published:
        return await self.publish_parked(messages)

    async def done(self, event: ShopEvent) -> Result:
        return Done(accepted=1)

    async def handle(self, events: Sequence[ShopEvent]) -> list[Result]:
        self.handled.append([event.id for event in events])
        return list(await asyncio.gather(*(self.answer(event) for event in events)))

    async def says(self, *ids: str, key: str = "order.created", body: bytes = b"{}") -> None:
        for id_ in ids:
            await self.shop.publish(Emitted(routing_key=key, body=body, message_id=id_))

    def start(self) -> None:
        self.task = asyncio.create_task(self.consumer.run())

    async def stop(self) -> None:
        self.consumer.stop()
        if self.task is not None:
            await asyncio.wait_for(self.task, 5)

    def empty(self, queue: str = ORDINARY) -> bool:
        return self.broker.depth(queue) == 0

    async def parked(self) -> list[Received]:
        subscription = await self.broker.subscribe(PARKED, 1000)
        return await subscription.take(1000)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    yield line
    await line.stop()
    await line.broker.close()


async def test_what_waits_is_handled_together_and_acked(line: Line) -> None:
    await line.says(*(f"e-{n}" for n in range(50)))
    line.start()
    await eventually(line.empty)
    assert line.handled == [[f"e-{n}" for n in range(50)]]
    assert line.telemetry.events == {("order.created", "handled"): 50}
    [(name, fields)] = line.telemetry.wides
    assert name == "events.handled"
    assert (fields["taken"], fields["handled"], fields["notifications"]) == (50, 50, 50)
    assert line.consumer.ready


async def test_a_batch_is_bounded(line: Line) -> None:
    line.consumer.batch_max = 20
    await line.says(*(f"e-{n}" for n in range(50)))
    line.start()
    await eventually(line.empty)
    assert max(map(len, line.handled)) == 20


async def test_nothing_is_acked_before_it_is_handled(line: Line) -> None:
    committed = asyncio.Event()

    async def slow(event: ShopEvent) -> Result:
        await committed.wait()
        return Done(accepted=1)

    line.answer = slow
    await line.says("e-1")
    line.start()
    await eventually(lambda: line.handled)
    await steadily(lambda: line.broker.depth(ORDINARY) == 1, seconds=0.2)
    committed.set()
    await eventually(line.empty)


async def test_while_one_batch_is_committed_the_next_is_taken(line: Line) -> None:
    committed = asyncio.Event()

    async def first_is_slow(event: ShopEvent) -> Result:
        if event.id == "e-1":
            await committed.wait()
        return Done(accepted=1)

    line.answer = first_is_slow
    line.start()
    await line.says("e-1")
    await eventually(lambda: line.handled == [["e-1"]])
    await line.says("e-2")
    await eventually(lambda: line.broker.depth(ORDINARY) == 1)
    committed.set()
    await eventually(line.empty)


async def test_without_the_database_messages_are_kept_and_tried_again(line: Line) -> None:
    tries = 0

    async def away_twice(event: ShopEvent) -> Result:
        nonlocal tries
        tries += event.id == "e-2"
        return (
            TryAgainLater(reason="the database is away")
            if event.id == "e-2" and tries < 3
            else Done(accepted=1)
        )

    line.answer = away_twice
    await line.says("e-1", "e-2", "e-3")
    line.start()
    await eventually(lambda: line.telemetry.troubled_by("events.waiting"))
    assert line.broker.depth(ORDINARY) == 1
    assert not line.consumer.ready
    await eventually(line.empty)
    assert line.handled == [["e-1", "e-2", "e-3"], ["e-2"], ["e-2"]]
    assert line.consumer.ready
    assert line.telemetry.events == {("order.created", "handled"): 3}


async def test_stopping_while_the_database_is_away_gives_the_messages_back(line: Line) -> None:
    async def away(event: ShopEvent) -> Result:
        return TryAgainLater(reason="the database is away")

    line.answer = away
    await line.says("e-1")
    line.start()
    await eventually(lambda: line.telemetry.troubled_by("events.waiting"))
    await line.stop()
    [again] = await (await line.broker.subscribe(ORDINARY, 1)).take(1)
    assert again.redelivered


async def test_stopping_finishes_what_is_in_hand(line: Line) -> None:
    committed = asyncio.Event()

    async def slow(event: ShopEvent) -> Result:
        await committed.wait()
        return Done(accepted=1)

    line.answer = slow
    await line.says("e-1")
    line.start()
    await eventually(lambda: line.handled)
    line.consumer.stop()
    for _ in range(10):
        await asyncio.sleep(0)  # it hears of the stop
    await line.says("e-2")
    committed.set()
    await line.stop()
    assert line.broker.depth(ORDINARY) == 1
    assert line.handled == [["e-1"]]


async def test_what_cannot_be_read_is_parked_and_its_neighbours_are_not(line: Line) -> None:
    await line.says("e-1")
    await line.says("e-2", body=b"<xml/>")
    await line.says("e-3")
    line.start()
    await eventually(line.empty)
    [parked] = await line.parked()
    assert parked.body == b"<xml/>"
    assert "not valid JSON" in str(parked.headers["x-posthorn-reason"])
    assert parked.headers["x-posthorn-routing-key"] == "order.created"
    assert parked.headers["x-posthorn-queue"] == ORDINARY
    assert line.handled == [["e-1", "e-3"]]
    assert line.telemetry.events == {("order.created", "handled"): 2, ("unreadable", "undecodable"): 1}


async def test_what_is_refused_is_parked_with_its_reason_and_told_without_it(line: Line) -> None:
    async def refuse(event: ShopEvent) -> Result:
        return RejectedEvent(reason="ann@example.com is no number", codes=("trigger a /phone bad_phone",))

    line.answer = refuse
    await line.says("e-1")
    line.start()
    await eventually(line.empty)
    [parked] = await line.parked()
    assert parked.headers["x-posthorn-reason"] == "ann@example.com is no number"
    [trouble] = line.telemetry.troubled_by("event.parked")
    assert (trouble["event_id"], trouble["reason"], trouble["alert"]) == (
        "e-1",
        "trigger a /phone bad_phone",
        False,
    )
    assert "ann@" not in str(line.telemetry.troubles + line.telemetry.wides)


async def test_a_fault_of_our_own_parks_the_one_event_that_has_it_and_alerts(line: Line) -> None:
    async def crash(event: ShopEvent) -> Result:
        if event.id == "e-2":
            raise ZeroDivisionError
        return Done(accepted=1)

    line.answer = crash
    await line.says("e-1", "e-2", "e-3")
    line.start()
    await eventually(line.empty)
    [parked] = await line.parked()
    assert parked.headers["x-posthorn-message-id"] == "e-2"
    assert [t["alert"] for t in line.telemetry.troubled_by("event.parked")] == [True]
    assert line.telemetry.events == {("order.created", "handled"): 2, ("order.created", "failed"): 1}


@pytest.mark.parametrize("how", ["away", "unconfirmed"])
async def test_what_cannot_be_parked_is_not_acked(line: Line, how: str) -> None:
    tries = 0

    async def not_yet(messages: Sequence[Outgoing]) -> Published:
        nonlocal tries
        tries += 1
        if tries > 2:
            return await line.broker.publish(messages)
        if how == "away":
            raise BrokerUnavailable("blocked")
        return Published([], [])

    line.publish_parked = not_yet
    await line.says("e-1", body=b"<xml/>")
    await line.says("e-2")
    line.start()
    await eventually(lambda: line.telemetry.events == {("order.created", "handled"): 1})
    assert line.broker.depth(ORDINARY) == 1
    await eventually(line.empty)
    assert len(await line.parked()) == 1
    assert line.handled == [["e-2"]]


async def test_a_lost_subscription_is_made_again_and_nothing_is_lost(line: Line) -> None:
    committed = asyncio.Event()

    async def slow(event: ShopEvent) -> Result:
        await committed.wait()
        return Done(accepted=1)

    line.answer = slow
    await line.says("e-1")
    line.start()
    await eventually(lambda: line.handled)
    line.broker.drop()
    committed.set()
    await line.says("e-2")
    await eventually(line.empty)
    assert sorted(id_ for batch in line.handled for id_ in batch) == ["e-1", "e-1", "e-2"]


async def test_critical_events_do_not_wait_behind_ordinary_ones(line: Line) -> None:
    async def ordinary_never_ends(event: ShopEvent) -> Result:
        if event.type == "order.created":
            await asyncio.Event().wait()
        return Done(accepted=1)

    line.answer = ordinary_never_ends
    await line.says(*(f"o-{n}" for n in range(1000)))
    line.start()
    await eventually(lambda: line.handled)
    critical = line.consumer_of(CRITICAL)
    running = asyncio.create_task(critical.run())
    await line.says("c-1", key="user.password_reset_requested")
    await eventually(lambda: line.empty(CRITICAL))
    critical.stop()
    await running
    assert line.telemetry.events == {("user.password_reset_requested", "handled"): 1}
    assert line.task is not None
    line.task.cancel()
    await asyncio.wait({line.task})
    line.task = None


async def test_values_kept_out_are_counted(line: Line) -> None:
    async def answer(event: ShopEvent) -> Result:
        return Done(update_users="written", kept_out=(Fault("/email", "bad_email", "x"),))

    line.answer = answer
    await line.says("u-1", "u-2", key="user.created")
    line.start()
    await eventually(line.empty)
    assert line.telemetry.kept_out_ == {"bad_email": 2}
    assert line.telemetry.events == {("user.created", "written"): 2}


async def test_a_batch_is_bounded_by_bytes_and_so_is_what_lies_here_unread(line: Line) -> None:
    body = json.dumps({"note": "x" * 250_000}).encode()
    most, committed = [0], asyncio.Event()

    async def slow(event: ShopEvent) -> Result:
        await committed.wait()
        return Done(accepted=1)

    line.answer = slow
    line.consumer.largest = 256 * 1024
    await line.says(*(f"e-{n}" for n in range(400)), body=body)
    line.start()
    await eventually(lambda: len(line.handled) == 3)
    most[0] = sum(consumer.unacked for consumer in line.broker._queues[ORDINARY]._consumers)
    committed.set()
    await eventually(line.empty)
    assert most[0] * len(body) <= PREFETCHED_BYTES
    assert max(map(len, line.handled)) * len(body) <= BATCH_BYTES
    assert sum(map(len, line.handled)) == 400


async def test_what_is_too_large_is_parked_whole_and_never_read(line: Line) -> None:
    line.consumer.largest = 1_000
    large = json.dumps({"note": "x" * 2_000}).encode()
    await line.says("e-1")
    await line.says("e-2", body=large)
    await line.says("e-3")
    line.start()
    await eventually(line.empty)
    assert line.handled == [["e-1", "e-3"]]
    [parked] = await line.parked()
    assert (parked.body, parked.message_id) == (large, "e-2")
    [trouble] = line.telemetry.troubled_by("events.too_large")
    assert trouble == {"queue": ORDINARY, "messages": 1, "size": len(large), "limit": 1_000}
