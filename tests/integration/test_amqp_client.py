"""Publishing, consuming and the link against a peer that does what it is told, also what no broker should."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from itertools import count
from uuid import uuid4

import pytest
from pamqp import body, commands, heartbeat
from pamqp.base import Frame

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.consumer import RabbitConsumer, RabbitSubscription
from adapters.rabbitmq.endpoint import Endpoint
from adapters.rabbitmq.publisher import PUBLISH_MAX, RabbitPublisher
from application.broker.ports import Outgoing
from domain.kernel.errors import BrokerUnavailable
from tests.support.amqp_peer import Peer
from tests.support.eventually import eventually, steadily

Ending = Callable[[Peer], None]


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with Peer() as peer:
        yield peer


@pytest.fixture
async def link(peer: Peer) -> AsyncIterator[BrokerConnection]:
    link = BrokerConnection([peer.endpoint], name="test", heartbeat=1)
    await link.open()
    yield link
    await link.close()


def batch(size: int) -> list[Outgoing]:
    return [Outgoing(id=uuid4(), queue="q", body=b"x") for _ in range(size)]


class TestPublishing:
    async def test_confirms_in_any_order_and_several_at_once(
        self, peer: Peer, link: BrokerConnection
    ) -> None:
        seen = count(1)

        def confirm(peer: Peer, channel: int, _: object) -> None:
            if next(seen) == 10:
                for tag, multiple in ((3, False), (2, True), (10, False), (8, True)):
                    peer.send(commands.Basic.Ack(tag, multiple), channel)
                peer.send(commands.Basic.Nack(9), channel)

        peer.on(commands.Basic.Publish, confirm)
        messages = batch(10)
        published = await RabbitPublisher(link).publish(messages)
        assert set(published.confirmed) == {m.id for m in messages} - {messages[8].id}
        assert published.unroutable == []

    async def test_returns_belong_to_their_messages(self, peer: Peer, link: BrokerConnection) -> None:
        def confirm(peer: Peer, channel: int, _: object) -> None:
            if len(peer.of(body.ContentBody)) == 6:
                for n in (1, 4):
                    peer.give_back(peer.message_ids[n], channel)
                peer.send(commands.Basic.Ack(6, True), channel)

        peer.on(body.ContentBody, confirm)
        messages = batch(6)
        published = await RabbitPublisher(link).publish(messages)
        assert published.unroutable == [messages[1].id, messages[4].id]
        assert len(published.confirmed) == 4
        assert len(set(peer.message_ids)) == 6

    async def test_a_broker_that_confirms_a_part_and_hangs_up(
        self, peer: Peer, link: BrokerConnection
    ) -> None:
        def confirm(peer: Peer, channel: int, _: object) -> None:
            if len(peer.of(commands.Basic.Publish)) == 5:
                peer.send(commands.Basic.Ack(3, True), channel)
                asyncio.get_running_loop().call_later(0.05, peer.hang_up)

        peer.on(commands.Basic.Publish, confirm)
        messages = batch(5)
        published = await RabbitPublisher(link).publish(messages)
        assert published.confirmed == [m.id for m in messages[:3]]
        assert published.unroutable == []

    async def test_a_channel_closed_in_mid_batch_gets_nothing_more(
        self, peer: Peer, link: BrokerConnection
    ) -> None:
        def close(peer: Peer, channel: int, _: object) -> None:
            if len(peer.of(commands.Basic.Publish)) == 1:
                peer.send(commands.Channel.Close(404, "NOT_FOUND - no exchange", 60, 40), channel)

        peer.on(commands.Basic.Publish, close)
        messages = [Outgoing(id=uuid4(), queue="q", body=b"x" * 50_000) for _ in range(1_000)]
        with pytest.raises(BrokerUnavailable, match="no exchange"):
            await RabbitPublisher(link).publish(messages)
        await eventually(lambda: peer.of(commands.Channel.CloseOk))
        closed = next(n for n, one in enumerate(peer.heard) if isinstance(one, commands.Channel.CloseOk))
        late = [one for one in peer.heard[closed:] if isinstance(one, commands.Basic.Publish)]
        assert late == []
        assert len(peer.of(commands.Basic.Publish)) < 1_000
        assert link.connected

    async def test_a_broker_that_refuses_all(self, peer: Peer, link: BrokerConnection) -> None:
        peer.on(commands.Basic.Publish, lambda peer, channel, _: peer.send(commands.Basic.Nack(1), channel))
        with pytest.raises(BrokerUnavailable, match="refused"):
            await RabbitPublisher(link).publish(batch(1))

    async def test_a_broker_that_never_confirms(self, peer: Peer, link: BrokerConnection) -> None:
        publishing = RabbitPublisher(link, publish_max=0.2)
        began = time.monotonic()
        with pytest.raises(BrokerUnavailable, match="did not confirm"):
            await publishing.publish(batch(3))
        assert time.monotonic() - began < 1
        peer.on(commands.Basic.Publish, lambda peer, channel, _: peer.send(commands.Basic.Ack(5), channel))
        messages = batch(2)
        published = await publishing.publish(messages)  # tags 4 and 5 of the same channel
        assert published.confirmed == [messages[1].id]

    async def test_a_channel_with_too_many_unconfirmed_messages_is_given_up(
        self, peer: Peer, link: BrokerConnection
    ) -> None:
        publishing = RabbitPublisher(link, publish_max=0.2, unconfirmed_max=2)
        for _ in range(2):
            with pytest.raises(BrokerUnavailable):
                await publishing.publish(batch(3))
        assert len(peer.of(commands.Channel.Close)) == 1
        assert len(peer.of(commands.Channel.Open)) == 2

    async def test_a_blocked_broker_is_not_waited_for(self, peer: Peer, link: BrokerConnection) -> None:
        publishing = RabbitPublisher(link)
        peer.send(commands.Connection.Blocked("low on memory"))
        await eventually(lambda: link.blocked is not None)
        assert link.connected
        with pytest.raises(BrokerUnavailable, match="blocks publishers: its memory or disk alarm"):
            await publishing.publish(batch(1))
        assert peer.of(commands.Basic.Publish) == []

        peer.send(commands.Connection.Unblocked())
        await eventually(lambda: link.blocked is None)
        peer.on(commands.Basic.Publish, lambda peer, channel, _: peer.send(commands.Basic.Ack(1), channel))
        assert len((await publishing.publish(batch(1))).confirmed) == 1

    async def test_a_cancelled_publish_does_not_miscount_the_next(
        self, peer: Peer, link: BrokerConnection
    ) -> None:
        publishing = RabbitPublisher(link)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(publishing.publish(batch(4)), 0.1)
        peer.on(commands.Basic.Publish, lambda peer, channel, _: peer.send(commands.Basic.Ack(5), channel))
        [message] = batch(1)
        assert (await publishing.publish([message])).confirmed == [message.id]


class TestNobodyHangs:
    """A publish ends within `PUBLISH_MAX`, whatever the peer does or leaves undone."""

    @pytest.mark.parametrize(
        "method", [commands.Channel.Open, commands.Confirm.Select, commands.Basic.Publish]
    )
    async def test_on_a_peer_without_an_answer(
        self, peer: Peer, link: BrokerConnection, method: type[Frame]
    ) -> None:
        peer.on(method, lambda *_: None)
        publishing = RabbitPublisher(link, publish_max=0.5)
        began = time.monotonic()
        for _ in range(2):
            publishes = [publishing.publish(batch(1)) for _ in range(3)]
            results = await asyncio.gather(*publishes, return_exceptions=True)
            assert [type(result) for result in results] == [BrokerUnavailable] * 3
        assert time.monotonic() - began < 3

    async def test_on_a_peer_that_stops_reading(self, peer: Peer, link: BrokerConnection) -> None:
        peer.on(commands.Basic.Publish, lambda peer, *_: peer.stop_reading())
        publishing = RabbitPublisher(link)
        messages = [Outgoing(id=uuid4(), queue="q", body=b"x" * 1_000_000) for _ in range(100)]
        began = time.monotonic()
        publishes = [publishing.publish(messages) for _ in range(3)]
        results = await asyncio.gather(*publishes, return_exceptions=True)
        assert [type(result) for result in results] == [BrokerUnavailable] * 3
        assert time.monotonic() - began < PUBLISH_MAX + 1

    async def test_when_the_connection_dies_of_silence_meanwhile(
        self, peer: Peer, link: BrokerConnection
    ) -> None:
        publishing = RabbitPublisher(link, publish_max=30)
        peer.on(commands.Basic.Publish, lambda peer, *_: peer.stop_reading())
        messages = [Outgoing(id=uuid4(), queue="q", body=b"x" * 1_000_000) for _ in range(100)]
        with pytest.raises(BrokerUnavailable, match="no sign of life"):
            await asyncio.wait_for(publishing.publish(messages), 10)

    async def test_on_a_peer_that_does_not_even_greet(self) -> None:
        async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        async with await asyncio.start_server(silence, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            link = BrokerConnection([Endpoint(host="127.0.0.1", port=port)], name="test")
            await asyncio.wait_for(link.open(), 7)
            assert "no answer" in str(link.trouble)
            with pytest.raises(BrokerUnavailable, match="no answer"):
                await RabbitPublisher(link).publish(batch(1))
            await asyncio.wait_for(link.close(), 4)


class TestConsuming:
    @pytest.fixture
    async def subscription(self, link: BrokerConnection) -> RabbitSubscription:
        return await RabbitConsumer(link).subscribe("q", 10)

    async def test_acks_of_a_run_are_one_frame(self, peer: Peer, subscription: RabbitSubscription) -> None:
        for tag in range(1, 11):
            peer.deliver(tag, b"x")
        taken = 0
        while taken < 10:
            taken += len(await subscription.take(10))
        await subscription.ack([2, 1, 3])
        await subscription.ack([7, 5])
        await subscription.ack([4, 5, 6])
        await subscription.ack([1, 7])
        await subscription.ack([8, 9, 10])
        await eventually(lambda: len(peer.of(commands.Basic.Ack)) == 5)
        acks = [(ack.delivery_tag, ack.multiple) for ack in peer.of(commands.Basic.Ack)]
        assert acks == [(3, True), (5, False), (7, False), (6, True), (10, True)]
        with pytest.raises(ValueError, match="never delivered"):
            await subscription.ack([11])

    @pytest.mark.parametrize(
        ("ending", "reason"),
        [
            (Peer.cancel, "cancelled the consumer"),
            (lambda peer: peer.send(commands.Channel.Close(406, "ack timed out", 0, 0), 1), "ack timed out"),
            (lambda peer: peer.send(commands.Connection.Close(320, "FORCED - shutdown", 0, 0)), "320 FORCED"),
            (Peer.hang_up, "lost|closed"),
        ],
    )
    async def test_every_way_to_lose_a_subscription_is_told_and_it_can_be_had_again(
        self,
        peer: Peer,
        link: BrokerConnection,
        subscription: RabbitSubscription,
        ending: Ending,
        reason: str,
    ) -> None:
        peer.deliver(1, b"x")
        await subscription.take(1)
        waiting = asyncio.ensure_future(subscription.take(1))
        await asyncio.sleep(0)

        ending(peer)

        with pytest.raises(BrokerUnavailable, match=reason):
            await asyncio.wait_for(waiting, 2)
        with pytest.raises(BrokerUnavailable, match=reason):
            await subscription.ack([1])
        await eventually(lambda: link.connected)
        again = await RabbitConsumer(link).subscribe("q", 10)
        peer.deliver(1, b"y")
        assert (await again.take(1))[0].body == b"y"

    async def test_what_was_not_taken_before_the_loss_is_not_taken_after(
        self, peer: Peer, subscription: RabbitSubscription
    ) -> None:
        peer.deliver(1, b"x")
        await eventually(lambda: subscription._delivered == 1)
        peer.hang_up()
        await eventually(lambda: subscription.lost is not None)
        with pytest.raises(BrokerUnavailable):
            await subscription.take(1)


class TestTheLink:
    async def test_a_silent_peer_is_given_up_and_called_again(
        self, peer: Peer, link: BrokerConnection
    ) -> None:
        await eventually(lambda: peer.connections == 2, timeout=10)
        await eventually(lambda: link.connected)

    async def test_a_peer_with_a_heartbeat_is_kept(self, peer: Peer, link: BrokerConnection) -> None:
        peer.on(heartbeat.Heartbeat, lambda peer, *_: peer.send(heartbeat.Heartbeat()))
        await steadily(lambda: link.connected and peer.connections == 1, seconds=7)

    async def test_a_short_loss_is_waited_for(self, peer: Peer, link: BrokerConnection) -> None:
        peer.on(commands.Basic.Publish, lambda peer, channel, _: peer.send(commands.Basic.Ack(1), channel))
        publishing = RabbitPublisher(link)
        await publishing.publish(batch(1))
        peer.hang_up()
        await eventually(lambda: not link.connected and link.trouble, interval=0)
        await eventually(lambda: "connection lost: " in str(link.trouble), interval=0)
        assert len((await publishing.publish(batch(1))).confirmed) == 1
        assert peer.connections == 2

    async def test_garbage_ends_the_connection_not_the_link(self, peer: Peer, link: BrokerConnection) -> None:
        for garbage in (b"HTTP/1.1 400 Bad Request\r\n", b"\x01\x00\x00\x00\x00\x00\x04\xff\xff\xff\xff\xce"):
            before = peer.connections
            peer.send_bytes(garbage)
            await eventually(lambda before=before: peer.connections > before and link.connected)

    async def test_a_closed_link_stays_closed(self, peer: Peer, link: BrokerConnection) -> None:
        await link.close()
        assert not link.connected
        assert link.trouble == "closed"
        with pytest.raises(BrokerUnavailable, match="closed"):
            await RabbitPublisher(link).publish(batch(1))
        assert len(peer.of(commands.Connection.Close)) == 1
