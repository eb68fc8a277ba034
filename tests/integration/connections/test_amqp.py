"""A link to RabbitMQ through a network that fails: whatever ends it is told, and it is opened again."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from msgspec import structs

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.endpoint import Endpoint
from adapters.rabbitmq.publisher import RabbitPublisher
from application.broker.ports import Outgoing, Published
from application.kernel.supervision import Tasks
from domain.kernel.errors import BrokerUnavailable
from domain.kernel.secret import Secret
from tests.contract.broker import LANE, outgoing
from tests.support.amqp_peer import Peer
from tests.support.broker import RabbitServer, VHost
from tests.support.eventually import eventually
from tests.support.fault_proxy import Fault, FaultProxy, busy_loop
from tests.support.telemetry import RecordedTelemetry
from tests.support.topology import lay_out

GARBAGE = {
    "of another protocol": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a frame of a kind that there is not": b"\x09\x00\x00\x00\x00\x00\x01\xff\xce",
    "a frame that ends wrongly": b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x0a\x00",
    "a method that there is not": b"\x01\x00\x00\x00\x00\x00\x04\xff\xff\xff\xff\xce",
    "a method cut short": b"\x01\x00\x00\x00\x00\x00\x05\x00\x0a\x00\x0a\x09\xce",
    "a channel that there is not": b"\x01\xff\xff\x00\x00\x00\x04\x00\x14\x00\x0b\xce",
    "a header cut short": b"\x02\x00\x01\x00\x00\x00\x06\x00<\x00\x00\x00\x00\xce",
    "a delivery cut short": b"\x01\x00\x01\x00\x00\x00\x06\x00<\x00<\xff\x00\xce",
    "text that is none": bytes(range(256)) * 8,
}


SOON = {"connect_max": 0.5, "backoff_max": 0.1}
"""What takes seconds takes less; nothing else is different."""


@asynccontextmanager
async def linked(
    proxy: FaultProxy, telemetry: RecordedTelemetry, **more: object
) -> AsyncIterator[BrokerConnection]:
    """Opened and closed, both in time."""
    endpoint = Endpoint.parse(Secret(proxy.url))
    link = BrokerConnection(
        [endpoint], name="test", purpose="test", tasks=Tasks(telemetry.task_ended), **SOON, **more
    )
    await asyncio.wait_for(link.open(), 4)
    yield link
    await asyncio.wait_for(link.close(), 7)


@pytest.mark.parametrize("after", [0, 5, 520])
@pytest.mark.parametrize("fault", Fault)
async def test_at_connect(rabbitmq_server: RabbitServer, fault: Fault, after: int) -> None:
    """After nothing, within a frame's head, within the first frame, before the last."""
    telemetry = RecordedTelemetry()
    async with FaultProxy(rabbitmq_server.amqp_url) as proxy:
        proxy.greet(fault, after=after)
        async with linked(proxy, telemetry) as link:
            if link.trouble is not None:
                with pytest.raises(BrokerUnavailable):
                    await RabbitPublisher(link).publish(batch(1))
                tried = proxy.taken
                await eventually(lambda: proxy.taken > tried + 1)
            proxy.heal()
            await eventually(lambda: link.connected)
            assert (await RabbitPublisher(link).publish(batch(1))).unroutable
    assert [end for _, end, _ in telemetry.ends] == ["cancelled"]


async def test_a_proxy_that_hangs_up_before_our_loop_comes_round(rabbitmq_server: RabbitServer) -> None:
    """uvloop tells the end of the stream before whoever connected can read: aiormq's iterator just stops."""
    telemetry = RecordedTelemetry()
    async with FaultProxy(rabbitmq_server.amqp_url) as proxy:
        proxy.greet(Fault.HANG_UP)
        with busy_loop():
            async with linked(proxy, telemetry) as link:
                await eventually(lambda: "hung up" in str(link.trouble))  # not each time: it is a race
                proxy.heal()
                await eventually(lambda: link.connected)
    assert [end for _, end, _ in telemetry.ends] == ["cancelled"]


async def test_a_black_hole_at_connect(rabbitmq_server: RabbitServer) -> None:
    telemetry = RecordedTelemetry()
    async with FaultProxy(rabbitmq_server.amqp_url) as proxy:
        proxy.black_hole()
        async with linked(proxy, telemetry) as link:
            assert "no answer" in str(link.trouble)
            proxy.heal()
            await eventually(lambda: link.connected)


@pytest.mark.parametrize("fault", [Fault.HANG_UP, Fault.RESET, Fault.SILENT])
async def test_in_mid_stream(vhost: VHost, fault: Fault) -> None:
    async with FaultProxy(vhost.amqp_url) as proxy:
        await struck(vhost, proxy, lambda: proxy.strike(fault))


@pytest.mark.parametrize("garbage", GARBAGE)
async def test_garbage_in_mid_stream(vhost: VHost, garbage: str) -> None:
    """It is known for garbage when it comes: nobody waits for the heartbeat to tell."""
    async with FaultProxy(vhost.amqp_url, garbage=GARBAGE[garbage]) as proxy:
        await struck(vhost, proxy, lambda: proxy.strike(Fault.GARBAGE), heartbeat=60)


async def struck(vhost: VHost, proxy: FaultProxy, strike: Callable[[], None], *, heartbeat: int = 1) -> None:
    """Whoever publishes, consumes or acks is told, and can go on as soon as the network is there again."""
    telemetry = RecordedTelemetry()
    await lay_out(vhost, ["email"])
    async with linked(proxy, telemetry, heartbeat=heartbeat) as link:
        publisher, consumer = RabbitPublisher(link), RabbitConsumer(link)
        subscription = await consumer.subscribe(LANE, 10)
        await publisher.publish([outgoing()])
        [taken] = await subscription.take(1)
        waiting = asyncio.ensure_future(subscription.take(1))
        strike()
        with pytest.raises(BrokerUnavailable):
            await asyncio.wait_for(waiting, 9)
        with pytest.raises(BrokerUnavailable):
            await subscription.ack([taken.tag])
        await eventually(lambda: link.session == 2)
        [again] = await (await consumer.subscribe(LANE, 10)).take(1)
        assert again.redelivered
        assert (await publisher.publish([outgoing()])).confirmed
    assert [(task, end) for task, end, _ in telemetry.ends] == [
        ("amqp test", "lost"),
        ("amqp test", "cancelled"),
    ]


@pytest.mark.parametrize("fault", [Fault.HANG_UP, Fault.RESET])
async def test_while_it_publishes(vhost: VHost, fault: Fault) -> None:
    """What was not confirmed is told as such, whatever the peer did in the middle of it."""
    await lay_out(vhost, ["email"])
    async with FaultProxy(vhost.amqp_url) as proxy, linked(proxy, RecordedTelemetry()) as link:
        publisher = RabbitPublisher(link)
        await publisher.publish(batch(1))
        publishing = [asyncio.ensure_future(publisher.publish(batch(10_000))) for _ in range(2)]
        await asyncio.wait(publishing, timeout=0.05)
        proxy.strike(fault)
        ends = await asyncio.gather(*publishing, return_exceptions=True)
        assert {type(end) for end in ends} <= {BrokerUnavailable, Published}
        assert sum(len(end.confirmed) for end in ends if isinstance(end, Published)) < 20_000
        await eventually(lambda: link.connected)
        assert (await publisher.publish(batch(1))).confirmed


async def test_a_slow_link_is_no_lost_one(vhost: VHost) -> None:
    telemetry = RecordedTelemetry()
    await lay_out(vhost, ["email"])
    async with FaultProxy(vhost.amqp_url, pace=0.002) as proxy, linked(proxy, telemetry, heartbeat=1) as link:
        subscription = await RabbitConsumer(link).subscribe(LANE, 10)
        proxy.strike(Fault.SLOW)
        assert (await RabbitPublisher(link).publish(batch(1))).confirmed
        assert len(await asyncio.wait_for(subscription.take(1), 9)) == 1
        assert link.session == 1


async def test_a_peer_that_neither_reads_nor_speaks_amqp_holds_nobody_up() -> None:
    """aiormq waits for its farewell to be read before it says that a connection is over."""
    async with Peer() as peer:
        link = BrokerConnection([peer.endpoint], name="test", heartbeat=60, **SOON)
        await link.open()
        subscription = await RabbitConsumer(link).subscribe("q", 10)
        peer.stop_reading()
        big = [Outgoing(id=uuid4(), queue="q", body=b"x" * 1_000_000) for _ in range(20)]
        publishing = asyncio.ensure_future(RabbitPublisher(link).publish(big))
        await asyncio.wait({publishing}, timeout=0.2)
        began = time.monotonic()
        peer.send_bytes(GARBAGE["of another protocol"])
        with pytest.raises(BrokerUnavailable):
            await subscription.take(1)
        with pytest.raises(BrokerUnavailable):
            await publishing
        peer.read_on()
        await eventually(lambda: link.session == 2)
        assert time.monotonic() - began < 4
        await link.close()


async def test_what_cannot_be_encoded_is_no_loss_of_the_link(vhost: VHost) -> None:
    """Or a message that nobody can send would be taken for trouble that passes, and tried for ever."""
    await lay_out(vhost, ["email"])
    async with FaultProxy(vhost.amqp_url) as proxy, linked(proxy, RecordedTelemetry()) as link:
        publisher = RabbitPublisher(link)
        for bad in ({"queue": "\ud800"}, {"headers": {"x": 1 << 70}}, {"headers": {"x": object()}}):
            with pytest.raises(ValueError, match="encoded"):
                await publisher.publish([structs.replace(outgoing(), **bad)])
        assert (await publisher.publish([outgoing()])).confirmed
        assert link.session == 1


def batch(size: int) -> list[Outgoing]:
    return [Outgoing(id=uuid4(), queue=LANE, body=b"x" * 100) for _ in range(size)]
