"""Issuing again what is not back, and telling of lanes that stand still."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import msgspec
import pytest

from application.alert.lanes import AlertStalledLanes
from application.channel.ports import Channel
from application.kernel.versioned import Versioned
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage, OverdueDelivery, OverdueFound, Waiting
from application.outbox.reissue_overdue import BACKLOG, ReissueOverdue
from domain.kernel.channel import Lane, Priority
from domain.kernel.errors import BrokerUnavailable, NotFound, StoreUnavailable

HIGH, LOW = Lane("email", Priority.HIGH), Lane("email", Priority.LOW)
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class World:
    """A store that knows who is late, a broker with queues, a channel."""

    def __init__(self) -> None:
        self.late: list[OverdueDelivery] = []
        self.sizes = {HIGH.queue: 0, LOW.queue: 0}
        self.channel: Channel | None = Channel(channel="email")
        self.issued: list[OverdueDelivery] = []
        self.offered: list[OutboxMessage] = []
        self.waiting: list[Waiting] = []
        self.posted: list[tuple[str, dict[str, object]]] = []
        self.away, self.finds = False, 0
        self.reissue = ReissueOverdue(overdue=self, sizes=self, channels=self, handoff=self)
        self.alert = AlertStalledLanes(overdue=self, hook=self, clock=self, longest=timedelta(minutes=5))

    async def find(self) -> OverdueFound:
        self.finds += 1
        return OverdueFound(late=self.late)

    async def issue(self, late: Sequence[OverdueDelivery]) -> list[OutboxMessage]:
        self.issued += late
        return [OutboxMessage(id=each.pointer.delivery, queue=each.lane.queue, body=b"") for each in late]

    async def longest(self) -> list[Waiting]:
        return self.waiting

    async def size(self, queue: str) -> int:
        if queue not in self.sizes:
            raise NotFound(queue)
        return self.sizes[queue]

    async def get(self, channel: str) -> Versioned[Channel] | None:
        return Versioned(self.channel, 1, NOW) if self.channel else None

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        self.offered += messages

    async def post(self, id: str, body: bytes) -> None:  # noqa: A002  as in the port
        if self.away:
            raise StoreUnavailable("no answer")
        self.posted.append((id, msgspec.json.decode(body)))

    def now(self) -> datetime:
        return NOW


def late(lane: Lane, count: int) -> list[OverdueDelivery]:
    return [OverdueDelivery(pointer=Pointer(uuid4(), 1), lane=lane) for _ in range(count)]


async def test_what_is_not_back_is_issued_and_handed_over() -> None:
    world = World()
    world.late = [*late(HIGH, 3), *late(LOW, 2)]
    chased = await world.reissue()
    assert chased.issued == {HIGH: 3, LOW: 2}
    assert world.issued == world.late
    assert [message.id for message in world.offered] == [each.pointer.delivery for each in world.late]


async def test_what_stands_in_a_long_queue_is_not_issued() -> None:
    world = World()
    world.late = [*late(HIGH, 3), *late(LOW, 2)]
    world.sizes[HIGH.queue] = BACKLOG + 1
    assert (await world.reissue()).issued == {LOW: 2}


@pytest.mark.parametrize(
    "channel", [None, Channel(channel="email", paused=True), Channel(channel="email", enabled=False)]
)
async def test_what_is_meant_to_wait_is_not_issued(channel: Channel | None) -> None:
    world = World()
    world.late, world.channel = late(HIGH, 3), channel
    assert (await world.reissue()).issued == {}


async def test_without_its_queue_nothing_is_issued_and_without_the_broker_next_time() -> None:
    world = World()
    world.late = late(HIGH, 3)
    del world.sizes[HIGH.queue]
    assert (await world.reissue()).issued == {}

    async def away(queue: str) -> int:
        raise BrokerUnavailable(queue)

    world.size = away
    world.finds = 0
    with pytest.raises(BrokerUnavailable):
        await world.reissue()
    assert not world.finds, "they are left to those who reach the broker"


def waits(lane: Lane, minutes: float, *, paused: bool = False) -> Waiting:
    age = timedelta(minutes=minutes)
    return Waiting(lane=lane, since=NOW - age, age=age, paused=paused)


async def test_a_lane_that_stands_still_is_told_of_once_until_it_moves() -> None:
    world = World()
    world.waiting = [waits(HIGH, 6), waits(LOW, 4)]
    assert [each.lane for each in (await world.alert()).stalled] == [HIGH]
    assert (await world.alert()).stalled == []
    [(id_, event)] = world.posted
    assert event["type"] == "lane.stalled"
    assert event["data"] == {
        "lane": HIGH.queue,
        "channelType": "email",
        "priority": "high",
        "since": "2025-12-31T23:54:00Z",
        "seconds": 360,
    }
    other = World()
    other.waiting = world.waiting
    await other.alert()
    assert other.posted[0][0] == id_, "who is told by two processes can tell"

    world.waiting = []
    assert (await world.alert()).moving == [HIGH.queue]
    world.waiting = [waits(HIGH, 7)]
    assert [each.lane for each in (await world.alert()).stalled] == [HIGH]


async def test_a_paused_one_is_shown_and_not_told_of() -> None:
    world = World()
    world.waiting = [waits(HIGH, 60, paused=True)]
    lanes = await world.alert()
    assert lanes.waiting == world.waiting
    assert not lanes.stalled


async def test_what_nobody_heard_is_told_again() -> None:
    world = World()
    world.waiting, world.away = [waits(HIGH, 6)], True
    assert (await world.alert()).fault == "no answer"
    world.away = False
    assert (await world.alert()).fault is None
    assert len(world.posted) == 1
