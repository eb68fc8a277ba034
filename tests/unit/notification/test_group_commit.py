"""Group commit: critical first, one key once, and a bad request stands alone."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from adapters.crypto.vault import LocalVault
from adapters.system import SystemClock, SystemIds
from application.notification.group_commit import GroupCommit
from application.notification.packing import Pack
from application.notification.ports import Committed, Created, Duplicate, KeysChanged, NewNotification
from application.notification.prepare import Prepared, ResolvedRecipient
from application.notification.seal import Seal
from application.outbox.ports import OutboxMessage
from application.privacy.ports import Unreadable
from domain.kernel.channel import Priority
from domain.kernel.errors import Fault, InFlight, Invalid, Overloaded, StoreUnavailable
from domain.notification.request import Content, Request
from tests.support.memory.acceptance import MemoryAcceptance
from tests.support.memory.rows import MemoryRows
from tests.support.virtual_time import passing

IDS = SystemIds()
VAULT = LocalVault.from_master(b"m" * 32)


class World:
    """A group commit over memory; `fault` sees each batch before it is committed, `go` holds commits up."""

    def __init__(self, **options: object) -> None:
        self.rows = MemoryRows(SystemClock())
        self.inner = MemoryAcceptance(rows=self.rows, process=uuid4())
        self.batches: list[list[NewNotification]] = []
        self.offered: list[OutboxMessage] = []
        self.fault: Callable[[Sequence[NewNotification]], None] = lambda _: None
        self.go = asyncio.Event()
        self.go.set()
        self.waiting = 0
        self.commit = GroupCommit(
            acceptance=self,
            seal=Seal(vault=VAULT),
            pack=Pack(ids=IDS, handoff=self, backlog=100),
            handoff=self,
            **({"committers": 1} | options),
        )

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        self.offered += messages

    async def keys(self, users: Sequence[object]) -> dict[object, bytes]:
        return await self.inner.keys(users)

    async def accept(self, notifications, users, pack) -> Committed:
        await self.go.wait()
        self.batches.append(list(notifications))
        self.fault(notifications)
        return await self.inner.accept(notifications, users, pack)

    def committed(self) -> list[list[str]]:
        return [[notification.type for notification in batch] for batch in self.batches]


def prepared(type_: str = "t", *, priority: Priority = Priority.MEDIUM, **changes: object) -> Prepared:
    resolved = ResolvedRecipient(user=uuid4(), guest=False, profile=None, email_index=None, phone_index=None)
    fields = {"resolved_recipients": (resolved,), "key": None, "fingerprints": (b"f" * 16,)} | changes
    request = Request(type=type_, priority=priority)
    return Prepared(id=IDS.next(), request=request, channel="email", template=None, **fields)


async def put(world: World, *given: Prepared) -> list[object]:
    return await asyncio.gather(*(world.commit.put(one) for one in given), return_exceptions=True)


async def held(world: World, *given: Prepared) -> "list[asyncio.Future[object]]":
    """Put these behind a commit that is under way."""
    world.go.clear()
    first = asyncio.ensure_future(world.commit.put(prepared("first")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    rest = [asyncio.ensure_future(world.commit.put(one)) for one in given]
    await asyncio.sleep(0)
    return [first, *rest]


async def test_those_that_come_during_a_commit_share_the_next_and_critical_goes_first():
    world = World(rows_max=4)
    low, urgent = Priority.LOW, Priority.CRITICAL
    given = [prepared("low", priority=low) for _ in range(3)] + [prepared("urgent", priority=urgent)]
    waiting = await held(world, *given)
    world.go.set()
    assert all(isinstance(result, Created) for result in await asyncio.gather(*waiting))
    assert world.committed() == [["first"], ["urgent", "low"], ["low", "low"]]
    assert len(world.offered) == 5


@pytest.mark.parametrize("error", [Invalid(Fault("", "bad", "bad")), InFlight("busy"), LookupError("a bug")])
async def test_a_request_that_is_refused_stands_alone(error: Exception):
    world = World()

    def fault(batch):
        if any(notification.type == "bad" for notification in batch):
            raise error

    world.fault = fault
    answers = await put(world, *(prepared("bad" if n == 5 else "good") for n in range(16)))
    assert [n for n, answer in enumerate(answers) if not isinstance(answer, Created)] == [5]
    assert answers[5] is error


async def test_a_person_whose_key_cannot_be_read_is_nobody_elses_trouble():
    world = World()
    bad = prepared("bad")
    user = bad.resolved_recipients[0].user
    world.keys = lambda users: _keys({user: b"\x01no key"} if user in users else {})
    answers = await put(world, prepared(), bad, prepared())
    assert [isinstance(answer, Created) for answer in answers] == [True, False, True]
    assert isinstance(answers[1], Unreadable)


async def _keys(found):
    return found


async def test_of_many_those_whose_key_is_in_flight_are_told_and_the_others_go_on_in_one_piece():
    world, held = World(), {uuid4(), uuid4()}
    given = [prepared("held", key=key) for key in held] + [prepared(key=uuid4()) for _ in range(30)]
    refused = InFlight("busy", keys=held)

    def fault(batch):
        if any(notification.key in held for notification in batch):
            raise refused

    world.fault = fault
    answers = await put(world, *given)
    assert answers[:2] == [refused, refused]
    assert all(isinstance(answer, Created) for answer in answers[2:])
    assert [len(batch) for batch in world.batches] == [32, 30], "what merely waited is not tried in parts"


async def test_when_the_store_goes_away_in_the_midst_of_parts_nobody_waits_for_the_next():
    world, bad = World(), Invalid(Fault("", "bad", "bad"))
    errors = [bad, StoreUnavailable("away")]

    def fault(_):
        raise errors[min(len(world.batches), 2) - 1]

    world.fault = fault
    answers = await put(world, *(prepared() for _ in range(8)))
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert [len(batch) for batch in world.batches] == [8, 4]


async def test_one_bound_holds_for_all_the_waits_of_a_commit():
    world = World(patience=timedelta(seconds=10))
    loop = asyncio.get_running_loop()

    def fault(_):
        raise KeysChanged

    async def slow(users):
        await passing(4)
        return {}

    world.keys, world.fault = slow, fault
    began = loop.time()
    answers = await put(world, *(prepared() for _ in range(8)))
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert loop.time() - began == 10


async def test_an_absent_store_is_told_to_all_at_once():
    world = World()
    world.fault = lambda _: (_ for _ in ()).throw(StoreUnavailable("away"))
    answers = await put(world, *(prepared() for _ in range(8)))
    assert all(isinstance(answer, StoreUnavailable) for answer in answers)
    assert sum(len(batch) for batch in world.batches) == 8  # nobody looked for whose fault it was


async def test_keys_that_change_meanwhile_are_read_again():
    world, left = World(), [2]

    def fault(_):
        if left[0]:
            left[0] -= 1
            raise KeysChanged

    world.fault = fault
    assert isinstance((await put(world, prepared()))[0], Created)
    left[0] = 1000
    assert isinstance((await put(world, prepared()))[0], StoreUnavailable)


async def test_a_full_queue_refuses_and_keeps_a_reserve_for_critical():
    world = World(queue_max=8)  # rows: two for each of these
    waiting = await held(world, *(prepared() for _ in range(4)))
    with pytest.raises(Overloaded):
        world.commit.enqueue(prepared())
    urgent = world.commit.enqueue(prepared(priority=Priority.CRITICAL))
    with pytest.raises(Overloaded):
        world.commit.enqueue(prepared(priority=Priority.CRITICAL))
    world.go.set()
    assert all(isinstance(result, Created) for result in await asyncio.gather(*waiting, urgent))
    assert isinstance((await put(world, prepared()))[0], Created)


async def test_the_same_key_on_its_way_waits_for_the_first():
    world, key = World(), uuid4()
    first, same = prepared(key=key), prepared(key=key)
    other = prepared(key=key, fingerprints=(b"o" * 16,))
    answers = await put(world, first, same, other)
    assert answers == [Created(first.id), *[Duplicate(first.id, b"f" * 16)] * 2]
    assert await put(world, prepared(key=key)) == [Duplicate(first.id, b"f" * 16)]


async def test_who_goes_away_does_not_take_the_commit_along():
    world = World()
    one = prepared()
    waiting = await held(world, one)
    waiting[1].cancel()
    world.go.set()
    await waiting[0]
    await world.commit.drain()
    assert one.id in world.rows.notifications


async def test_who_comes_just_as_the_last_commit_ends_is_not_left_waiting():
    world = World()
    late: list[asyncio.Future[object]] = []
    first = world.commit.enqueue(prepared("first"))
    first.add_done_callback(lambda _: late.append(world.commit.enqueue(prepared("late"))))
    await first
    async with asyncio.timeout(1):
        assert isinstance(await late[0], Created)
    assert world.committed() == [["first"], ["late"]]


def heavy(note: object, *, priority: Priority = Priority.MEDIUM) -> Prepared:
    one = prepared(priority=priority)
    request = Request(type="heavy", priority=priority, content=Content(data={"note": note}))
    return msgspec.structs.replace(one, request=request)


@pytest.mark.parametrize("note", ["x" * 100_000, [[]] * 700], ids=["long", "of many things"])
async def test_a_full_queue_is_told_by_what_it_takes_in_memory(note: object):
    world = World(queue_weight_max=400_000)
    waiting = await held(world, *(heavy(note) for _ in range(3)))
    with pytest.raises(Overloaded):
        world.commit.enqueue(heavy([note] * 2))
    urgent = world.commit.enqueue(heavy(note, priority=Priority.CRITICAL))
    world.go.set()
    assert all(isinstance(result, Created) for result in await asyncio.gather(*waiting, urgent))
    assert isinstance((await put(world, heavy([note] * 9)))[0], Created), "alone it is let in at any size"


async def test_a_commit_is_bounded_by_what_it_takes_in_memory():
    world = World(weight_max=250_000)
    waiting = await held(world, *(heavy("x" * 100_000) for _ in range(5)), prepared())
    world.go.set()
    assert all(isinstance(result, Created) for result in await asyncio.gather(*waiting))
    assert [len(batch) for batch in world.committed()] == [1, 2, 2, 2]
