"""A lane over the in-memory adapters: nothing is lost, nothing dies of somebody else's trouble."""

import asyncio
from collections import Counter
from datetime import timedelta
from uuid import uuid4

import msgspec
import pytest

from application.broker.ports import Received
from application.channel.ports import Channel
from application.kernel.versioned import Versioned
from application.outbox.pointers import Pointer, encode
from domain.delivery.delivery import DeliveryStatus
from domain.delivery.gate import STRIKES_MAX
from domain.kernel.errors import BrokerUnavailable, StoreUnavailable
from domain.provider.outcome import Accepted, Unknown
from entrypoints.engine.lane.unacked import Unacked
from entrypoints.engine.lane.unpack import renewed
from tests.support.eventually import eventually, steadily
from tests.support.memory.deliveries import MemoryDeliveries
from tests.support.virtual_time import passing
from tests.unit.engine.harness import CLOCK, EMAIL, IDS, World


def times(count: int, error: Exception):
    """A fault that happens so often."""
    left = [count]

    def fault(*_: object) -> None:
        if left[0] > 0:
            left[0] -= 1
            raise error

    return fault


async def test_what_is_on_the_lane_is_sent_once_and_acked():
    world = World()
    ids = await world.accept(30) + await world.accept(50, packed=True)
    world.start()
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    assert Counter(world.sent) == Counter(ids)


async def test_who_is_overtaken_does_not_rely_on_the_other_to_have_a_message():
    world = World()
    [id_] = await world.accept()
    thief = MemoryDeliveries(rows=world.rows, process=uuid4(), ids=IDS)

    async def overtaken(message):
        if message.attempt == 1:  # leased without a message, by somebody who is never heard of again
            world.rows.deliveries[id_].lease_until = CLOCK.now()
            await thief.lease([Pointer(id_, 1)], lease=timedelta(seconds=0.2))
        return Accepted("taken")

    world.answer = overtaken
    world.start()
    await eventually(lambda: world.all_sent([id_]))
    await world.stop()
    assert world.sent == [id_, id_]
    assert world.rows.attempts[id_][1].outcome == "unknown"


async def test_calls_that_ended_while_the_store_was_away_are_written_before_anything_is_leased():
    world = World(lease=timedelta(seconds=0.3))
    world.lane.lost_max = 0.05
    world.lane.pauses.longest = 0.05
    ids = await world.accept(20, packed=True)
    back = asyncio.Event()

    def away(_):
        if not back.is_set():
            raise StoreUnavailable("away")

    world.deliveries.fault["settle"] = away
    world.start()
    await eventually(lambda: len(world.sent) == 20)
    leases = begun_sizes(world)
    world.broker.drop()  # the messages come again, and the leases have ended
    await steadily(lambda: not leases, seconds=0.7)
    back.set()
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    assert Counter(world.sent) == Counter(ids)


async def test_messages_that_came_together_are_begun_together_and_those_that_come_meanwhile_next():
    world = World()
    sizes: list[int] = []
    go = asyncio.Event()

    async def lease(pointers):
        sizes.append(len(pointers))
        await go.wait()

    world.deliveries.fault["lease"] = lease
    ids = await world.accept(10)
    world.start()
    await eventually(lambda: sizes == [10])
    ids += await world.accept(1)
    await eventually(lambda: sizes == [10, 1])
    for _ in range(20):  # two chunks are being begun: these come one by one and wait for each other
        ids += await world.accept(1)
    go.set()
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    assert sizes == [10, 1, 1, 19]


async def test_a_lane_that_lost_its_subscription_goes_on_beside_a_call_that_hangs():
    world = World()
    world.lane.lost_max = 0.1
    go = asyncio.Event()

    async def answer(message):
        if message.delivery == slow:
            await go.wait()
        return Accepted("ok")

    world.answer = answer
    [slow] = await world.accept()
    world.start()
    await eventually(lambda: slow in world.rows.deliveries and world.rows.deliveries[slow].attempt == 1)
    world.broker.drop()
    ids = await world.accept(3)
    await eventually(lambda: set(world.sent) == set(ids))
    go.set()
    await eventually(lambda: world.all_sent([slow, *ids]))
    await world.stop()
    assert Counter(world.sent) == Counter([slow, *ids])


async def test_a_store_that_reads_but_does_not_write_costs_no_redelivery():
    world = World()
    ids = await world.accept(20, packed=True) + await world.accept(5)
    world.lane.pauses.shortest = world.lane.pauses.longest = 0.001
    world.deliveries.fault["lease"] = times(40, StoreUnavailable("read-only"))
    world.start()
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    assert not world.broker.depth(EMAIL.dead)
    assert Counter(world.sent) == Counter(ids)


async def test_poison_and_a_publisher_that_is_blocked_do_not_kill_the_neighbours():
    world = World()
    await world.put(b"not a message")
    ids = await world.accept(10)
    world.lane.pauses.shortest = world.lane.pauses.longest = 0.001
    world.publish_fault = times(30, BrokerUnavailable("blocked"))
    world.start()
    await eventually(lambda: world.all_sent(ids))
    await eventually(lambda: world.broker.depth(EMAIL.dead) == 1)
    await world.stop()
    assert len(world.telemetry.troubled_by("message.dead_lettered")) == 1


async def test_a_pointer_that_breaks_the_lease_is_dead_lettered_alone():
    world = World()
    bad = uuid4()

    def fault(pointers):
        if any(pointer.delivery == bad for pointer in pointers):
            raise OverflowError("no such number")

    world.deliveries.fault["lease"] = fault
    await world.put(encode([Pointer(bad, 1)]))
    ids = await world.accept(10)
    world.start()
    await eventually(lambda: world.all_sent(ids))
    await eventually(lambda: world.broker.depth(EMAIL.dead) == 1)
    await world.stop()


async def test_a_lease_that_ended_before_its_call_began_leaves_its_pointer():
    world = World()
    stalled = []

    def stall(begins):
        if not stalled:
            stalled.extend(begins)
            for begin in begins:
                world.rows.deliveries[begin.delivery].lease_until = CLOCK.now() - timedelta(seconds=1)

    world.deliveries.fault["begin"] = stall
    ids = await world.accept(3)
    world.start()
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    assert Counter(world.sent) == Counter(ids)


async def test_a_gateway_with_a_bug_is_an_unknown_outcome_and_its_neighbours_go_on():
    world = World()
    ids = await world.accept(10, packed=True)

    def answer(message):
        if message.delivery == ids[3]:
            raise TypeError("a bug")
        return Accepted("ok")

    world.answer = answer
    world.start()
    others = [id_ for id_ in ids if id_ != ids[3]]
    await eventually(lambda: world.all_sent(others))
    await world.stop()
    [attempt] = world.rows.attempts[ids[3]].values()
    assert (attempt.outcome, attempt.reason) == ("unknown", "smtp: TypeError")
    assert Counter(world.sent) == Counter(others)


async def test_a_settlement_that_cannot_be_written_is_nobody_elses_trouble():
    world = World()
    ids = await world.accept(10, packed=True)

    def fault(settlements):
        if any(s.delivery == ids[3] for s in settlements):
            raise LookupError("a bug")

    world.deliveries.fault["settle"] = fault
    world.start()
    others = [id_ for id_ in ids if id_ != ids[3]]
    await eventually(lambda: world.all_sent(others))
    await world.stop()
    assert world.statuses([ids[3]]) == {DeliveryStatus.SENDING}
    [held] = [row.message for row in world.rows.outbox.values()] or [None]
    assert held is not None or world.broker._delayed  # its pointer comes back when the lease has ended
    assert Counter(world.sent) == Counter(ids)


async def test_a_paused_channel_gives_back_unspent_and_goes_on_when_resumed():
    world = World()
    smtp = Channel(channel="email", providers=("smtp",))
    world.rows.channels["email"] = Versioned(
        Channel(channel="email", providers=("smtp",), paused=True), 2, CLOCK.now()
    )
    ids = await world.accept(5)
    world.start()
    await steadily(lambda: not world.sent, seconds=0.1)
    world.rows.channels["email"] = Versioned(smtp, 3, CLOCK.now())
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    assert {world.rows.deliveries[id_].attempts_counted for id_ in ids} == {1}


async def test_what_came_too_often_is_issued_anew_as_it_is_and_goes_on_at_full_speed():
    world = World(slots=1000)
    ids = [id_ for _ in range(10) for id_ in await world.accept(100, packed=True)]
    for _ in range(3):
        subscription = await world.broker.subscribe(EMAIL.queue, 100)
        await subscription.take(100)
        await subscription.close()

    async def answer(_):
        await passing(0.1)
        return Accepted("ok")

    world.answer = answer
    sizes, started = begun_sizes(world), CLOCK.monotonic()
    world.start()
    await eventually(lambda: world.all_sent(ids), timeout=60)
    assert CLOCK.monotonic() - started < 3, "one at a time they would take 100 s"
    await world.stop()
    assert max(sizes) >= 100
    assert Counter(world.sent) == Counter(ids)


async def test_while_the_store_is_away_what_came_too_often_waits_as_it_is():
    world = World()
    ids = await world.accept(5, packed=True)
    for _ in range(3):
        subscription = await world.broker.subscribe(EMAIL.queue, 10)
        await subscription.take(10)
        await subscription.close()
    world.deliveries.fault["postpone"] = times(1, StoreUnavailable("away"))
    world.start()
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    assert Counter(world.sent) == Counter(ids)


async def test_a_message_moved_here_brings_a_count_of_elsewhere_and_is_worked_as_it_is():
    world = World()
    body = encode([Pointer(uuid4(), 1)])
    moved = Received(tag=1, body=body, headers={"x-delivery-count": 13})
    world.deliveries.fault["postpone"] = times(1, AssertionError("issued anew"))
    unacked = Unacked(subscription=await world.broker.subscribe(EMAIL.queue, 10))
    assert await renewed(world.engine, EMAIL, unacked, [moved]) == [moved]


def begun_sizes(world):
    """How many pointers each chunk has, as it is begun."""
    sizes = []
    world.deliveries.fault["lease"] = lambda pointers: sizes.append(len(pointers))
    return sizes


def struck(world, ids, deaths):
    """So many workers have died with them in hand."""
    for id_ in ids:
        row = world.rows.deliveries[id_]
        row.status, row.strikes = DeliveryStatus.SENDING, deaths - 1
        row.lease_until = CLOCK.now() - timedelta(seconds=1)


async def test_what_workers_died_with_is_worked_apart_and_nobody_waits_for_it():
    world = World()
    ids = await world.accept(200, packed=False)
    near, twice, thrice, often = ids[:50], ids[50:110], ids[110:120], ids[120:123]
    for deaths, which in ((1, near), (2, twice), (3, thrice), (4, often)):
        struck(world, which, deaths)
    at_once = {name: [0, 0] for name in ("twice", "thrice", "often")}
    done = Counter()

    async def answer(message):
        [kind] = [name for name in at_once if message.delivery in kinds[name]] or [None]
        if kind is not None:
            at_once[kind][0] += 1
            at_once[kind][1] = max(at_once[kind])
            assert sum(now for now, _ in at_once.values()) == at_once[kind][0], "each company by itself"
        await passing(1)
        if kind is not None:
            at_once[kind][0] -= 1
        done[kind] = CLOCK.monotonic()
        return Accepted("ok")

    kinds = {"twice": twice, "thrice": thrice, "often": often}
    world.answer, started = answer, CLOCK.monotonic()
    world.start()
    await eventually(lambda: world.all_sent(ids), timeout=60)
    await world.stop()
    assert [most for _, most in at_once.values()] == [25, 6, 1]
    assert done[None] - started < 4, "the rest, and who was near once, go on at full speed"
    assert {row.strikes for row in world.rows.deliveries.values()} == {0}
    assert {len(calls) for calls in world.rows.attempts.values()} == {1}


async def test_struck_deliveries_come_back_when_the_store_was_away():
    world = World()
    ids = await world.accept(4, packed=True)
    struck(world, ids, 2)
    world.lane.pauses.shortest = world.lane.pauses.longest = 0.001
    asked = []

    def lease(pointers):
        asked.append(len(pointers))
        if len(asked) == 2:
            raise StoreUnavailable("away")

    world.deliveries.fault["lease"] = lease
    world.start()
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    assert asked == [4, 4, 4]


async def test_a_delivery_that_kills_its_worker_each_time_is_given_up_and_its_neighbours_are_sent():
    world = World()
    ids = await world.accept(20, packed=True)
    killer = ids[7]
    row = world.rows.deliveries[killer]
    deaths = 0
    while row.status is not DeliveryStatus.FAILED:
        died = asyncio.Event()

        async def answer(message, died=died):
            if message.delivery == killer:
                died.set()
            if died.is_set():
                await asyncio.Event().wait()
            return Accepted("ok")

        def over(died=died):
            world.pass_time()
            return died.is_set() or row.status is DeliveryStatus.FAILED

        world.answer = answer
        world.start()
        await eventually(over)
        deaths += died.is_set()
        if died.is_set():
            await world.die()
    others = [id_ for id_ in ids if id_ != killer]

    def sent():
        world.pass_time()
        return world.statuses(others) == {DeliveryStatus.SENT}

    await eventually(sent)
    await eventually(lambda: world.broker.depth(EMAIL.dead) == 1)
    await world.stop()
    assert deaths == STRIKES_MAX
    assert row.reason == "its worker died 5 times in a row"
    assert list(world.rows.dead_letters) == [(killer, row.seq)]


@pytest.mark.parametrize(
    ("where", "reason"),
    [("lease", "LookupError in fault (test_lane.py:"), ("begin", "cannot be begun: LookupError")],
)
async def test_a_delivery_on_which_our_own_code_fails_is_a_dead_letter_with_row_and_message(where, reason):
    world = World()
    ids = await world.accept(10, packed=True)

    def fault(given):
        if any(getattr(each, "delivery", None) == ids[3] for each in given):
            raise LookupError("ada@example.com")

    world.deliveries.fault[where] = fault
    world.start()
    others = [id_ for id_ in ids if id_ != ids[3]]
    await eventually(lambda: world.statuses(others) == {DeliveryStatus.SENT})
    await eventually(lambda: world.broker.depth(EMAIL.dead) == 1)
    await eventually(lambda: not world.broker.depth(EMAIL.queue))
    await world.stop()
    row = world.rows.deliveries[ids[3]]
    assert row.status is DeliveryStatus.FAILED
    dead_letter = world.rows.dead_letters[row.id, row.seq]
    assert dead_letter.reason.startswith(reason)
    assert Counter(world.sent) == Counter(others)


async def test_a_lane_cancelled_while_all_slots_wait_for_the_store_ends():
    world = World(slots=2)
    await world.accept(6)
    world.deliveries.fault["settle"] = times(10**9, StoreUnavailable("away"))
    world.start()
    await eventually(lambda: len(world.sent) == 2)
    world.lane.stop()
    world.tasks[0].cancel()
    await asyncio.wait(world.tasks[:1], timeout=2)
    assert world.tasks[0].done()
    await eventually(lambda: world.engine.in_work.used == 0)
    world.relay.stop()
    await asyncio.wait_for(world.tasks[1], 2)
    for task in world.settler._tasks:
        task.cancel()


async def test_an_unknown_outcome_is_tried_again_after_a_while():
    world = World()
    [id_] = await world.accept(1)
    world.answer = lambda _: Unknown("no answer")
    world.start()
    await eventually(lambda: world.rows.deliveries[id_].seq == 2)
    await world.stop()
    row = world.rows.deliveries[id_]
    assert (row.status, row.attempts_counted) == (DeliveryStatus.QUEUED, 1)
    assert row.not_before is not None
    assert [h.status for h in world.rows.history[id_]] == ["queued", "sending", "unknown", "queued"]


async def test_a_delivery_that_cannot_be_decided_fails_alone():
    world = World()
    ids = await world.accept(10, packed=True)
    bad = world.rows.deliveries[ids[3]]
    user = world.rows.users[bad.user_id]
    key = world.vault.unwrap(user.data_key, user.id)
    garbage = key.seal(b"not JSON", b"users.profile:" + user.id.bytes)
    world.rows.users[user.id] = msgspec.structs.replace(user, profile=garbage)
    world.start()
    others = [id_ for id_ in ids if id_ != ids[3]]
    await eventually(lambda: world.all_sent(others))
    await eventually(lambda: world.broker.depth(EMAIL.dead) == 1)
    await world.stop()
    assert world.statuses([ids[3]]) == {DeliveryStatus.FAILED}
    assert bad.reason == "cannot be decided: DecodeError"


async def test_the_log_names_the_traces_of_a_batch():
    world = World()
    ids = await world.accept(3, packed=True)
    trace = "0af7651916cd43dd8448eb211c80319c"
    notification = world.rows.notifications[world.rows.deliveries[ids[0]].notification_id]
    notification.traceparent = f"00-{trace}-b7ad6b7169203331-01"
    world.start()
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    worked = [fields for event, fields in world.telemetry.wides if event == "deliveries.worked"]
    assert [fields["traces"] for fields in worked] == [[trace]]


async def test_what_nobody_can_read_is_buried_with_its_reason():
    world = World()
    await world.put(b'{"v": 7, "d": []}')
    ids = await world.accept(5)
    world.start()
    await eventually(lambda: world.all_sent(ids))
    await eventually(lambda: world.broker.depth(EMAIL.dead) == 1)
    await world.stop()
    assert len(world.telemetry.troubled_by("message.dead_lettered")) == 1
