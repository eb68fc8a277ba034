"""The intake over the broker in process: what is acked, kept, and put before an operator."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from adapters.memory.broker import MemoryBroker
from adapters.rabbitmq.topology import definitions
from adapters.system import SystemIds
from application.broker.ports import Outgoing
from application.intake.command import INTAKE
from application.intake.commit import IntakeOutcome
from domain.kernel.errors import StoreUnavailable, Undecodable
from entrypoints.amqp.intake import DEAD, IntakeBatches
from entrypoints.amqp.parking import QUEUE, REASON
from entrypoints.engine.consumer.batch_consumer import BatchConsumer
from tests.support.eventually import eventually, steadily
from tests.support.telemetry import RecordedTelemetry
from tests.support.virtual_time import VirtualClock

IDS = SystemIds()
COMMITTED = IntakeOutcome(uuid4(), "committed", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")


class Line:
    """The intake's consumer; `outcome` says what becomes of each body."""

    def __init__(self) -> None:
        self.broker = MemoryBroker(definitions(), VirtualClock())
        self.telemetry = RecordedTelemetry()
        self.drained: list[bytes] = []
        self.outcome: object = COMMITTED
        self.away = False
        self.consumer = BatchConsumer(
            name=INTAKE,
            consumer=self.broker,
            batches=IntakeBatches(
                commit_intake=self.commit_intake, publisher=self.broker, ids=IDS, telemetry=self.telemetry
            ),
            clock=VirtualClock(),
            probe=self.probe,
            does=INTAKE,
        )
        self.task: asyncio.Task[None] | None = None

    async def probe(self) -> None:
        if self.away:
            raise StoreUnavailable("away")

    async def commit_intake(self, bodies: list[bytes]) -> list[object]:
        self.drained += bodies
        return [self.outcome(body) if callable(self.outcome) else self.outcome for body in bodies]

    async def promise(self, *bodies: bytes) -> None:
        await self.broker.publish([Outgoing(id=IDS.next(), queue=INTAKE, body=body) for body in bodies])

    def start(self) -> None:
        self.task = asyncio.create_task(self.consumer.run())

    async def stop(self) -> None:
        self.consumer.stop()
        if self.task is not None:
            await asyncio.wait_for(self.task, 5)


@pytest.fixture
async def line() -> AsyncIterator[Line]:
    line = Line()
    yield line
    await line.stop()
    await line.broker.close()


async def test_what_is_kept_is_acked_and_told(line: Line) -> None:
    await line.promise(b"1", b"2", b"3")
    line.start()
    await eventually(lambda: line.broker.depth(INTAKE) == 0)
    assert line.drained == [b"1", b"2", b"3"]
    [(name, fields)] = line.telemetry.wides
    assert name == "intake.handled"
    assert (fields["taken"], fields["committed"]) == (3, 3)
    assert fields["traces"] == ["0af7651916cd43dd8448eb211c80319c"]


async def test_what_nobody_can_read_is_put_aside_with_its_reason(line: Line) -> None:
    line.outcome = lambda body: Undecodable("not a message") if body == b"bad" else COMMITTED
    await line.promise(b"good", b"bad", b"good")
    line.start()
    await eventually(lambda: line.broker.depth(INTAKE) == 0)
    [dead] = await (await line.broker.subscribe(DEAD, 10)).take(10)
    assert (dead.body, dead.headers[REASON], dead.headers[QUEUE]) == (b"bad", "not a message", INTAKE)
    [trouble] = line.telemetry.troubled_by("intake.parked")
    assert (trouble["reason"], trouble["alert"]) == ("not a message", False)


async def test_a_fault_of_our_own_is_put_aside_and_alerts(line: Line) -> None:
    line.outcome = LookupError("a bug, with canary data")
    await line.promise(b"1")
    line.start()
    await eventually(lambda: line.broker.depth(DEAD) == 1)
    [trouble] = line.telemetry.troubled_by("intake.parked")
    assert (trouble["reason"], trouble["alert"]) == ("unexpected LookupError", True)


async def test_without_the_database_promises_are_kept_and_tried_again(line: Line) -> None:
    line.outcome = StoreUnavailable("away")
    await line.promise(b"1", b"2")
    line.start()
    await eventually(lambda: len(line.drained) >= 4)
    assert line.broker.depth(INTAKE) == 2
    assert not line.consumer.ready
    line.outcome = COMMITTED
    await eventually(lambda: line.broker.depth(INTAKE) == 0)
    assert line.telemetry.troubled_by("intake.waiting")


async def test_nothing_is_taken_before_the_database_answers(line: Line) -> None:
    """Each return of a message counts towards its delivery limit."""
    line.away = True
    await line.promise(b"1")
    line.start()
    await eventually(lambda: line.telemetry.troubled_by("intake.waiting"))
    await steadily(lambda: not line.drained, seconds=0.2)
    line.away = False
    await eventually(lambda: line.drained == [b"1"])
