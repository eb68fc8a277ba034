"""What a broker must do: `Publisher`, `DelayedPublisher`, `Consumer`, `EventPublisher`."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from application.broker.ports import (
    Consumer,
    DelayedPublisher,
    EventPublisher,
    Outgoing,
    OutgoingEvent,
    Publisher,
    Received,
    Subscription,
)
from application.channel.ports import ChannelQueues
from application.outbox.dispatch import RETURNED
from domain.kernel.channel import lanes
from domain.kernel.errors import BrokerUnavailable
from tests.support.eventually import eventually

LANE = "deliver.email.critical"
OTHER = "deliver.email.low"
MISSING = "deliver.fax.low"
EVENT_KEYS = {
    "events.ordinary": ["order.created", "user.created", "payment.received", "weird", "", "author.added"],
    "events.critical": [
        "auth.code_requested",
        "auth",
        "user.password_reset_requested",
        "user.critical.anything.at.all",
        "auth.critical.both",
    ],
}
"""Queue -> routing keys of events that land there."""
LATE_MAX = 1.5
"""Seconds; generous, because all of the machine's cores may be busy with other tests."""


@dataclass(frozen=True, kw_only=True)
class Broker:
    """A broker with the topology of channel `email`; `drop` cuts its consumers' connection."""

    publisher: Publisher
    later: DelayedPublisher
    consumer: Consumer
    events: EventPublisher
    drop: Callable[[], Awaitable[None]]


class ChannelQueuesContract:
    """Subclasses have a fixture `broker` and its `queues`."""

    async def test_a_channel_that_is_made_takes_messages_at_once(
        self, broker: Broker, queues: ChannelQueues
    ) -> None:
        message = outgoing(queue="deliver.pigeon.test")
        assert (await broker.publisher.publish([message])).unroutable == [message.id]

        await queues.make("pigeon")

        for lane in lanes(["pigeon"]):
            assert not (await broker.publisher.publish([outgoing(queue=lane.queue)])).unroutable
            await take(await broker.consumer.subscribe(lane.queue, 10), 1)
            assert not (await broker.publisher.publish([outgoing(queue=lane.dead)])).unroutable

    async def test_what_waits_for_it_comes_when_its_time_has_come(
        self, broker: Broker, queues: ChannelQueues
    ) -> None:
        await queues.make("pigeon")
        later = outgoing(b"later", "deliver.pigeon.high", delay=timedelta(seconds=1))
        await broker.later.publish_later([later])

        [came] = await take(await broker.consumer.subscribe("deliver.pigeon.high", 10), 1)

        assert came.body == b"later"

    async def test_made_again_it_keeps_what_it_has_and_nothing_comes_twice(
        self, broker: Broker, queues: ChannelQueues
    ) -> None:
        await queues.make("pigeon")
        await broker.publisher.publish([outgoing(b"1", "deliver.pigeon.low")])
        await queues.make("pigeon")
        await broker.later.publish_later([outgoing(b"2", "deliver.pigeon.low", delay=timedelta(seconds=1))])

        subscription = await broker.consumer.subscribe("deliver.pigeon.low", 10)

        assert numbers(await take(subscription, 2)) == [1, 2]
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await subscription.take(1)


def outgoing(body: bytes = b"{}", queue: str = LANE, **more: Any) -> Outgoing:
    return Outgoing(id=uuid4(), queue=queue, body=body, **more)


def numbered(count: int, queue: str = LANE) -> list[Outgoing]:
    return [outgoing(str(number).encode(), queue) for number in range(count)]


def numbers(messages: Iterable[Received]) -> list[int]:
    return [int(message.body) for message in messages]


def ids(messages: Iterable[Outgoing]) -> set[UUID]:
    return {message.id for message in messages}


async def take(subscription: Subscription, count: int, *, seconds: float = 20) -> list[Received]:
    """Exactly so many; fails when they do not come."""
    taken: list[Received] = []
    async with asyncio.timeout(seconds):
        while len(taken) < count:
            taken += await subscription.take(count - len(taken))
    return taken


async def take_and_ack(subscription: Subscription, count: int, *, seconds: float = 20) -> list[Received]:
    taken = await take(subscription, count, seconds=seconds)
    await subscription.ack([message.tag for message in taken])
    return taken


async def nothing_more(subscription: Subscription, seconds: float = 0.3) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(seconds):
            await subscription.take(1)


async def resubscribed(broker: Broker, queue: str = LANE, prefetch: int = 100) -> Subscription:
    """After a loss: subscribe as soon as it can be done."""

    async def attempt() -> Subscription | bool:
        try:
            return await broker.consumer.subscribe(queue, prefetch)
        except BrokerUnavailable:
            return False

    found = await eventually(attempt, timeout=10)
    assert not isinstance(found, bool)
    return found


class PublishingContract:
    """Subclasses have a fixture `broker`: a `Broker` with empty queues."""

    async def test_a_message_arrives_as_it_was_sent(self, broker: Broker) -> None:
        message = outgoing(b"\x00\xff", headers={"traceparent": "00-ab-cd-01", "ключ": "значение ✓"})

        assert (await broker.publisher.publish([message])).confirmed == [message.id]

        subscription = await broker.consumer.subscribe(LANE, 10)
        [received] = await take(subscription, 1)
        assert received.body == b"\x00\xff"
        assert received.headers == {
            "traceparent": "00-ab-cd-01",
            "ключ": "значение ✓",
            "x-posthorn-id": str(message.id),
        }
        assert not received.redelivered
        assert received.routing_key == LANE
        await nothing_more(subscription)

    async def test_a_large_batch_is_confirmed_and_arrives_in_order(self, broker: Broker) -> None:
        batch = numbered(3_000)

        published = await broker.publisher.publish(batch)

        assert set(published.confirmed) == ids(batch)
        assert len(published.confirmed) == len(batch)
        subscription = await broker.consumer.subscribe(LANE, 250)
        seen: list[int] = []
        while len(seen) < len(batch):
            seen += numbers(await take_and_ack(subscription, 250))
        assert seen == list(range(3_000))

    async def test_a_large_body_arrives_whole(self, broker: Broker) -> None:
        body = bytes(range(256)) * 4096
        await broker.publisher.publish([outgoing(body), outgoing(b"")])
        subscription = await broker.consumer.subscribe(LANE, 10)
        assert [message.body for message in await take(subscription, 2)] == [body, b""]

    async def test_what_no_queue_takes_is_told_apart(self, broker: Broker) -> None:
        good, bad = numbered(20), numbered(20, MISSING)
        mixed = [message for pair in zip(good, bad, strict=True) for message in pair]

        published = await broker.publisher.publish(mixed)

        assert set(published.confirmed) == ids(good)
        assert set(published.unroutable) == ids(bad)

    async def test_batches_at_the_same_moment_keep_their_results_apart(self, broker: Broker) -> None:
        batches = [numbered(30, MISSING if n % 3 == 0 else LANE) for n in range(20)]

        results = await asyncio.gather(*(broker.publisher.publish(batch) for batch in batches))

        for n, (batch, published) in enumerate(zip(batches, results, strict=True)):
            expected = (set(), ids(batch)) if n % 3 == 0 else (ids(batch), set())
            assert (set(published.confirmed), set(published.unroutable)) == expected

    async def test_the_same_message_published_twice_arrives_twice(self, broker: Broker) -> None:
        message = outgoing()
        published = await broker.publisher.publish([message, message])
        assert published.confirmed == [message.id, message.id]
        subscription = await broker.consumer.subscribe(LANE, 10)
        await take(subscription, 2)

    async def test_an_empty_batch_is_nothing(self, broker: Broker) -> None:
        for publish in (broker.publisher.publish, broker.later.publish_later):
            published = await publish([])
            assert (published.confirmed, published.unroutable) == ([], [])


class ConsumingContract:
    """Subclasses have a fixture `broker`: a `Broker` with empty queues."""

    async def test_no_more_than_the_prefetch_is_in_our_hands(self, broker: Broker) -> None:
        await broker.publisher.publish(numbered(10))
        subscription = await broker.consumer.subscribe(LANE, 3)

        first = await take(subscription, 3)
        await nothing_more(subscription)
        await subscription.ack([first[1].tag])

        assert numbers(await take(subscription, 1)) == [3]
        await nothing_more(subscription)

    async def test_take_keeps_to_its_limit_and_waits_for_one(self, broker: Broker) -> None:
        subscription = await broker.consumer.subscribe(LANE, 10)
        waiting = asyncio.ensure_future(subscription.take(2))
        await broker.publisher.publish(numbered(5))
        first = await asyncio.wait_for(waiting, 10)
        assert 1 <= len(first) <= 2
        assert numbers([*first, *await take(subscription, 5 - len(first))]) == [0, 1, 2, 3, 4]

    async def test_a_cancelled_take_loses_nothing(self, broker: Broker) -> None:
        subscription = await broker.consumer.subscribe(LANE, 100)
        for _ in range(20):
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.002):
                    await subscription.take(1)
        batch = numbered(50)
        publishing = asyncio.ensure_future(broker.publisher.publish(batch))
        taken: list[Received] = []

        async def all_here() -> bool:
            try:
                async with asyncio.timeout(0.001):
                    taken.extend(await subscription.take(3))
            except TimeoutError:
                pass
            return len(taken) == 50

        await eventually(all_here, interval=0)
        await publishing
        assert numbers(taken) == list(range(50))

    async def test_what_is_not_acked_comes_again_in_its_old_place(self, broker: Broker) -> None:
        batch = numbered(6)
        await broker.publisher.publish(batch[:4])
        subscription = await broker.consumer.subscribe(LANE, 4)
        taken = await take(subscription, 4)
        await subscription.ack([taken[0].tag, taken[2].tag])

        await subscription.close()
        await broker.publisher.publish(batch[4:])

        again = await take(await broker.consumer.subscribe(LANE, 10), 4)
        assert numbers(again) == [1, 3, 4, 5]
        assert [message.redelivered for message in again] == [True, True, False, False]
        assert [message.headers.get("x-delivery-count") for message in again] == [1, 1, None, None]

    async def test_what_one_consumer_gives_back_another_takes(self, broker: Broker) -> None:
        one = await broker.consumer.subscribe(LANE, 10)
        other = await broker.consumer.subscribe(LANE, 10)
        await broker.publisher.publish(numbered(10))
        mine = [await take(one, 5), await take(other, 5)]
        assert sorted(numbers(mine[0] + mine[1])) == list(range(10))

        await one.close()

        assert sorted(numbers(await take(other, 5))) == sorted(numbers(mine[0]))

    async def test_acks_outlive_the_connection(self, broker: Broker) -> None:
        await broker.publisher.publish(numbered(20))
        subscription = await broker.consumer.subscribe(LANE, 20)
        taken = await take(subscription, 20)
        even, odd = taken[::2], taken[1::2]
        await subscription.ack([message.tag for message in reversed(even)])
        await nothing_more(subscription)  # the acks had time to arrive

        await broker.drop()

        again = await take(await resubscribed(broker), 10)
        assert numbers(again) == numbers(odd)
        assert all(message.redelivered for message in again)

    async def test_acks_in_any_order_are_acks(self, broker: Broker) -> None:
        await broker.publisher.publish(numbered(12))
        subscription = await broker.consumer.subscribe(LANE, 12)
        tags = [message.tag for message in await take(subscription, 12)]
        for group in ([7], [0, 1], [1, 2], [5, 4, 6], [3], [3, 7], [8, 9, 10, 11]):
            await subscription.ack([tags[n] for n in group])
        await broker.publisher.publish(numbered(1))
        assert numbers(await take(subscription, 1)) == [0]

        await subscription.close()

        [left] = await take(await broker.consumer.subscribe(LANE, 20), 1)
        assert left.redelivered

    async def test_a_lost_subscription_says_so_to_who_waits_and_to_who_acks(self, broker: Broker) -> None:
        await broker.publisher.publish(numbered(1))
        subscription = await broker.consumer.subscribe(LANE, 5)
        [message] = await take(subscription, 1)
        waiting = asyncio.ensure_future(subscription.take(1))
        await asyncio.sleep(0)

        await broker.drop()

        with pytest.raises(BrokerUnavailable):
            await asyncio.wait_for(waiting, 5)
        with pytest.raises(BrokerUnavailable):
            await subscription.take(1)
        with pytest.raises(BrokerUnavailable):
            await subscription.ack([message.tag])
        await subscription.close()
        assert numbers(await take(await resubscribed(broker), 1)) == [0]

    async def test_closing_ends_a_take_and_may_be_done_twice(self, broker: Broker) -> None:
        subscription = await broker.consumer.subscribe(LANE, 5)
        waiting = asyncio.ensure_future(subscription.take(1))
        await asyncio.sleep(0)
        await subscription.close()
        await subscription.close()
        with pytest.raises(BrokerUnavailable):
            await asyncio.wait_for(waiting, 5)

    async def test_a_pause_loses_nothing_and_keeps_the_order(self, broker: Broker) -> None:
        subscription = await broker.consumer.subscribe(LANE, 100)
        await broker.publisher.publish(numbered(5))
        await take_and_ack(subscription, 5)
        await subscription.close()

        await broker.publisher.publish(numbered(100))

        resumed = await broker.consumer.subscribe(LANE, 7)
        seen: list[int] = []
        while len(seen) < 100:
            seen += numbers(await take_and_ack(resumed, 1))
        assert seen == list(range(100))

    async def test_lanes_do_not_hold_each_other_back(self, broker: Broker) -> None:
        await broker.publisher.publish(numbered(50, OTHER))
        stuck = await broker.consumer.subscribe(OTHER, 5)
        await take(stuck, 5)
        await broker.publisher.publish(numbered(20))
        moving = await broker.consumer.subscribe(LANE, 5)
        for _ in range(4):
            await take_and_ack(moving, 5)

    async def test_a_missing_queue_cannot_be_consumed_and_spoils_nothing(self, broker: Broker) -> None:
        subscription = await broker.consumer.subscribe(LANE, 5)
        with pytest.raises(BrokerUnavailable, match=MISSING):
            await broker.consumer.subscribe(MISSING, 5)
        await broker.publisher.publish(numbered(1))
        await take(subscription, 1)

    async def test_a_message_given_back_too_often_dies_and_the_lane_goes_on(self, broker: Broker) -> None:
        poison, fine = numbered(2)
        await broker.publisher.publish([poison])
        for _ in range(11):
            subscription = await broker.consumer.subscribe(LANE, 1)
            await take(subscription, 1)
            await subscription.close()

        dead = await broker.consumer.subscribe(RETURNED, 5)
        [letter] = await take_and_ack(dead, 1)
        assert letter.body == poison.body
        assert letter.headers["x-first-death-reason"] == "delivery_limit"
        assert letter.headers["x-first-death-queue"] == LANE
        assert letter.headers["x-posthorn-id"] == str(poison.id)
        await broker.publisher.publish([fine])
        assert numbers(await take(await broker.consumer.subscribe(LANE, 5), 1)) == [1]

    async def test_take_keeps_to_a_size_but_for_one_that_is_larger(self, broker: Broker) -> None:
        bodies = [b"a" * 600, b"b" * 600, b"c" * 3000, b"d" * 300, b"e" * 700]
        await broker.publisher.publish([outgoing(body) for body in bodies])
        subscription = await broker.consumer.subscribe(LANE, 10)
        left = await take(subscription, 1)  # all are here soon
        seen = [[message.body for message in left]]
        while sum(map(len, seen)) < len(bodies):
            seen.append([message.body for message in await subscription.take(10, 1000)])
            assert len(seen[-1]) == 1 or sum(map(len, seen[-1])) <= 1000
        assert [body for batch in seen for body in batch] == bodies

    async def test_what_is_too_large_comes_as_its_size_and_dies_whole(self, broker: Broker) -> None:
        large = outgoing(b"x" * 300_000, headers={"kept": "yes"})
        await broker.publisher.publish([*numbered(1), large, *numbered(1)])
        subscription = await broker.consumer.subscribe(LANE, 10, 200_000)
        first, cut, last = await take(subscription, 3)
        assert (cut.cut, cut.body, cut.headers) == (300_000, b"", {})
        assert (first.cut, last.cut) == (0, 0)

        await subscription.refuse([cut.tag])
        await subscription.ack([first.tag, last.tag])

        [letter] = await take_and_ack(await broker.consumer.subscribe(RETURNED, 5), 1)
        assert letter.body == large.body
        assert letter.headers["kept"] == "yes"
        assert letter.headers["x-first-death-reason"] == "rejected"
        await broker.publisher.publish(numbered(1))
        assert numbers(await take_and_ack(subscription, 1)) == [0]
        await subscription.close()
        await broker.publisher.publish([outgoing(b"7")])
        assert numbers(await take(await broker.consumer.subscribe(LANE, 5), 1)) == [7]


class DelayingContract:
    """Subclasses have a fixture `broker`: a `Broker` with empty queues."""

    async def test_messages_are_never_early_come_in_order_and_not_late(self, broker: Broker) -> None:
        subscription = await broker.consumer.subscribe(LANE, 100)
        delays = [3, 1, 2, 5, 4, 1, 3, 2]
        sent = time.monotonic()
        batch = [
            outgoing(str(delay).encode(), delay=timedelta(seconds=delay), headers={"kept": "yes"})
            for delay in delays
        ]

        assert set((await broker.later.publish_later(batch)).confirmed) == ids(batch)

        seen: list[tuple[int, float]] = []
        while len(seen) < len(delays):
            taken = await take_and_ack(subscription, 1)
            seen += [(n, time.monotonic() - sent) for n in numbers(taken)]
            assert taken[0].headers["kept"] == "yes"
            assert not taken[0].redelivered
        assert [delay for delay, _ in seen] == sorted(delays)
        for delay, took in seen:
            assert delay <= took <= delay + LATE_MAX

    async def test_part_of_a_second_is_rounded_up(self, broker: Broker) -> None:
        subscription = await broker.consumer.subscribe(LANE, 10)
        sent = time.monotonic()
        await broker.later.publish_later([outgoing(delay=timedelta(milliseconds=1100))])
        await take(subscription, 1)
        assert 2 <= time.monotonic() - sent <= 2 + LATE_MAX

    async def test_without_a_delay_it_comes_at_once(self, broker: Broker) -> None:
        subscription = await broker.consumer.subscribe(LANE, 10)
        nowhere = outgoing(queue=MISSING)
        published = await broker.later.publish_later([outgoing(), outgoing(delay=timedelta()), nowhere])
        assert published.unroutable == [nowhere.id]
        await take(subscription, 2, seconds=0.9)

    async def test_what_waits_outlives_its_publishers_connection(self, broker: Broker) -> None:
        await broker.later.publish_later([outgoing(delay=timedelta(seconds=2))])
        await broker.drop()
        await take(await resubscribed(broker), 1, seconds=2 + LATE_MAX)

    async def test_a_missing_lane_does_not_stop_the_timers_of_others(self, broker: Broker) -> None:
        """At-least-once dead-lettering stops a whole level after 32 messages without a way."""
        lost = [outgoing(queue=MISSING, delay=timedelta(seconds=1)) for _ in range(100)]
        assert set((await broker.later.publish_later(lost)).confirmed) == ids(lost)
        subscription = await broker.consumer.subscribe(LANE, 100)
        sent = time.monotonic()
        batch = [outgoing(str(1 + n % 3).encode(), delay=timedelta(seconds=1 + n % 3)) for n in range(30)]
        await broker.later.publish_later(batch)

        for _ in batch:
            [received] = await take_and_ack(subscription, 1)
            late = time.monotonic() - sent - int(received.body)
            assert 0 <= late <= LATE_MAX

        parked = await take(await broker.consumer.subscribe("delay.parked", 200), 100)
        assert {str(message.headers["x-posthorn-id"]) for message in parked} == {str(m.id) for m in lost}

    async def test_only_lanes_can_be_reached_later(self, broker: Broker) -> None:
        with pytest.raises(ValueError, match="intake"):
            await broker.later.publish_later([outgoing(queue="intake", delay=timedelta(seconds=1))])


class EventsContract:
    """Subclasses have a fixture `broker`: a `Broker` with empty queues."""

    async def test_an_event_lands_in_exactly_one_queue(self, broker: Broker) -> None:
        subscriptions = {name: await broker.consumer.subscribe(name, 100) for name in EVENT_KEYS}
        keys = [key for keys in EVENT_KEYS.values() for key in keys]

        for key in keys:
            await broker.events.publish(OutgoingEvent(routing_key=key, body=key.encode()))

        for name, expected in EVENT_KEYS.items():
            taken = await take(subscriptions[name], len(expected))
            assert [message.routing_key for message in taken] == expected
            await nothing_more(subscriptions[name])

    async def test_an_event_keeps_its_properties(self, broker: Broker) -> None:
        event = OutgoingEvent(
            routing_key="order.created",
            body=b"{}",
            headers={"cloudEvents:id": "e1"},
            message_id="e1",
            correlation_id="c1",
            type="order.created",
            content_type="application/json",
        )
        await asyncio.gather(*(broker.events.publish(event) for _ in range(3)))  # the same id in flight
        for received in await take(await broker.consumer.subscribe("events.ordinary", 10), 3):
            assert received.headers == event.headers
            for name in ("message_id", "correlation_id", "type", "content_type", "routing_key"):
                assert getattr(received, name) == getattr(event, name)

    async def test_an_event_that_kills_its_readers_is_parked(self, broker: Broker) -> None:
        await broker.events.publish(OutgoingEvent(routing_key="order.created", body=b"poison"))
        for _ in range(11):
            subscription = await broker.consumer.subscribe("events.ordinary", 1)
            await take(subscription, 1)
            await subscription.close()
        [parked] = await take(await broker.consumer.subscribe("events.parked", 1), 1)
        assert parked.body == b"poison"
