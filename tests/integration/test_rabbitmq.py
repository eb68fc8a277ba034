"""RabbitMQ in trouble, behind TLS, and with a shop at the other end: what its contract cannot show."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

import aio_pika
import pytest
from aiormq import spec
from aiormq.abc import ChannelFrame
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pamqp.header import ContentHeader

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.delay_ladder import DelayLadderPublisher
from adapters.rabbitmq.endpoint import Endpoint, tls_context
from adapters.rabbitmq.event_publisher import RabbitEventPublisher
from adapters.rabbitmq.publisher import BODY_MAX, RabbitPublisher
from adapters.rabbitmq.topology import SHOP_EVENTS
from application.broker.ports import OutgoingEvent
from domain.kernel.errors import BrokerUnavailable, Misconfigured
from domain.kernel.secret import Secret
from tests.contract.broker import LANE, numbered, numbers, outgoing, take, take_and_ack
from tests.support.broker import RabbitServer, VHost
from tests.support.eventually import eventually
from tests.support.sandbox import free_port
from tests.support.topology import lay_out, links


@pytest.fixture
async def both(vhost: VHost) -> AsyncIterator[tuple[BrokerConnection, BrokerConnection]]:
    await lay_out(vhost, ["email"])
    async with links(vhost) as both:
        yield both


class TestInTrouble:
    async def test_publisher_and_consumer_go_on_after_a_restart(
        self, killable_rabbitmq: RabbitServer
    ) -> None:
        with killable_rabbitmq.fresh_vhost() as vhost:
            await lay_out(vhost, ["email"])
            async with links(vhost) as (publishing, consuming):
                publisher, consumer = RabbitPublisher(publishing), RabbitConsumer(consuming)
                messages = numbered(300)
                subscription = await consumer.subscribe(LANE, 50)
                await publisher.publish(messages[:50])
                first = await take(subscription, 50)
                await subscription.ack([message.tag for message in first[:20]])
                waiting = asyncio.ensure_future(subscription.take(1))

                await asyncio.to_thread(killable_rabbitmq.stop)

                with pytest.raises(BrokerUnavailable):
                    await asyncio.wait_for(waiting, 5)
                with pytest.raises(BrokerUnavailable):
                    await asyncio.wait_for(publisher.publish(messages[100:200]), 6)
                with pytest.raises(BrokerUnavailable):
                    await consumer.subscribe(LANE, 50)
                assert not publishing.connected
                assert publishing.trouble

                await asyncio.to_thread(killable_rabbitmq.start)
                await eventually(lambda: publishing.connected and consuming.connected, timeout=10)
                again = await consumer.subscribe(LANE, 50)
                assert (await publisher.publish(messages[200:])).unroutable == []
                seen = numbers(first[:20]) + numbers(await take_and_ack(again, 50))
                while len(seen) < 150:
                    seen += numbers(await take_and_ack(again, 10))
                assert sorted(seen) == [*range(50), *range(200, 300)]

    async def test_a_kill_in_mid_batch_loses_nothing_that_was_confirmed(
        self, killable_rabbitmq: RabbitServer
    ) -> None:
        with killable_rabbitmq.fresh_vhost() as vhost:
            await lay_out(vhost, ["email"])
            async with links(vhost) as (publishing, consuming):
                publisher = RabbitPublisher(publishing)
                messages = numbered(20_000)
                batches = [messages[start : start + 500] for start in range(0, len(messages), 500)]
                confirmed: set[object] = set()

                async def publish() -> None:
                    for batch in batches:
                        confirmed.update((await publisher.publish(batch)).confirmed)

                publish_all = asyncio.ensure_future(publish())
                await eventually(lambda: len(confirmed) >= 2_000, interval=0.005)
                await asyncio.to_thread(killable_rabbitmq.kill)
                with pytest.raises(BrokerUnavailable):
                    await asyncio.wait_for(publish_all, 10)
                assert 2_000 <= len(confirmed) < len(messages)

                await asyncio.to_thread(killable_rabbitmq.start)
                await eventually(lambda: consuming.connected, timeout=10)
                subscription = await RabbitConsumer(consuming).subscribe(LANE, 500)
                missing = {str(id_) for id_ in confirmed}
                async with asyncio.timeout(30):
                    while missing:
                        taken = await take_and_ack(subscription, 1)
                        missing.difference_update(str(m.headers["x-posthorn-id"]) for m in taken)

    async def test_a_consumer_whose_queue_was_deleted_consumes_the_new_one(
        self,
        both: tuple[BrokerConnection, BrokerConnection],
        rabbitmq_server: RabbitServer,
        vhost: VHost,
    ) -> None:
        consumer = RabbitConsumer(both[1])
        subscription = await consumer.subscribe(LANE, 10)
        waiting = asyncio.ensure_future(subscription.take(1))
        neighbour = await consumer.subscribe("events.ordinary", 10)

        rabbitmq_server.api("DELETE", f"/queues/{vhost.name}/{LANE}")

        with pytest.raises(BrokerUnavailable, match="cancelled the consumer"):
            await asyncio.wait_for(waiting, 5)
        with pytest.raises(BrokerUnavailable, match=LANE):
            await consumer.subscribe(LANE, 10)
        published = await RabbitPublisher(both[0]).publish([outgoing()])
        assert len(published.unroutable) == 1

        await lay_out(vhost, ["email"])
        again = await consumer.subscribe(LANE, 10)
        await RabbitPublisher(both[0]).publish(numbered(1))
        await take(again, 1)
        await RabbitEventPublisher(both[0], SHOP_EVENTS).publish(
            OutgoingEvent(routing_key="order.created", body=b"{}")
        )
        await take(neighbour, 1)

    async def test_without_a_ladder_only_the_delayed_fail_and_it_is_found_again(
        self,
        both: tuple[BrokerConnection, BrokerConnection],
        rabbitmq_server: RabbitServer,
        vhost: VHost,
    ) -> None:
        publisher, later = RabbitPublisher(both[0]), DelayLadderPublisher(both[0])
        rabbitmq_server.api("DELETE", f"/exchanges/{vhost.name}/delay.00")
        soon = outgoing(delay=timedelta(seconds=1))
        with pytest.raises(BrokerUnavailable, match=r"no exchange 'delay\.00'"):
            await later.publish_later([soon])
        assert (await publisher.publish([outgoing()])).confirmed
        await lay_out(vhost, ["email"])
        assert (await later.publish_later([soon])).confirmed == [soon.id]

    async def test_a_message_too_large_is_refused_here_and_its_neighbours_go_on(
        self, both: tuple[BrokerConnection, BrokerConnection]
    ) -> None:
        publisher = RabbitPublisher(both[0])
        with pytest.raises(ValueError, match="bytes"):
            await publisher.publish([outgoing(), outgoing(b"x" * (BODY_MAX + 1))])
        with pytest.raises(ValueError, match="header"):
            await publisher.publish([outgoing(headers={"long": "x" * 200_000})])
        with pytest.raises(ValueError, match="255"):
            await publisher.publish([outgoing(queue="q" * 256)])
        assert (await publisher.publish([outgoing(b"x" * BODY_MAX)])).confirmed

    async def test_unroutable_events_of_one_message_id_are_all_told(
        self, both: tuple[BrokerConnection, BrokerConnection]
    ) -> None:
        events = RabbitEventPublisher(both[0], "amq.topic")
        event = OutgoingEvent(routing_key="nobody.listens", body=b"{}", message_id="one and the same")
        results = await asyncio.gather(*(events.publish(event) for _ in range(5)), return_exceptions=True)
        assert ["no queue takes" in str(result) for result in results] == [True] * 5

    async def test_a_message_its_sender_has_spoilt_costs_neither_the_connection_nor_its_neighbours(
        self, both: tuple[BrokerConnection, BrokerConnection], vhost: VHost
    ) -> None:
        properties = spec.Basic.Properties(message_id="mmmm", delivery_mode=2)
        async with await aio_pika.connect(vhost.amqp_url) as connection:
            channel = await (await connection.channel(publisher_confirms=False)).get_underlay_channel()
            publish = spec.Basic.Publish(exchange=SHOP_EVENTS, routing_key="order.created")
            whole = ChannelFrame.marshall(channel.number, [publish, ContentHeader(properties=properties)])
            spoilt = whole.payload.replace(b"mmmm", b"\xff\xfe\xff\xfe")
            taken = channel.create_future()
            await channel.write_queue.put(ChannelFrame(spoilt, should_close=False, drain_future=taken))
            await taken
        await RabbitEventPublisher(both[0], SHOP_EVENTS).publish(
            OutgoingEvent(routing_key="order.created", body=b"good")
        )

        subscription = await RabbitConsumer(both[1]).subscribe("events.ordinary", 10)
        poison, good = await take_and_ack(subscription, 2)

        assert poison.message_id == "\ufffd" * 4
        assert (good.body, good.redelivered) == (b"good", False)

    async def test_a_link_opens_while_nobody_is_there_and_says_why_it_is_not_connected(self) -> None:
        link = BrokerConnection([Endpoint(host="127.0.0.1", port=free_port())], name="test")
        await asyncio.wait_for(link.open(), 5)
        assert not link.connected
        assert "Connect call failed" in str(link.trouble)
        with pytest.raises(BrokerUnavailable, match="Connect call failed"):
            await RabbitPublisher(link).publish([outgoing()])
        await link.close()

    async def test_the_second_node_is_tried_when_the_first_is_away(self, vhost: VHost) -> None:
        away = Endpoint(host="127.0.0.1", port=free_port())
        link = BrokerConnection([away, Endpoint.parse(Secret(vhost.amqp_url))], name="test")
        await link.open()
        await eventually(lambda: link.connected)
        await link.close()

    @pytest.mark.parametrize(
        ("change", "reason"),
        [({"password": Secret("wrong")}, "ACCESS_REFUSED"), ({"vhost": "no such"}, "no such")],
    )
    async def test_a_refusal_is_readable(self, vhost: VHost, change: dict[str, object], reason: str) -> None:
        known = Endpoint.parse(Secret(vhost.amqp_url))
        fields = {name: getattr(known, name) for name in known.__struct_fields__} | change
        link = BrokerConnection([Endpoint(**fields)], name="test")
        await link.open()
        assert reason in str(link.trouble)
        assert "wrong" not in str(link.trouble)
        await link.close()


class TestWithAShop:
    """A shop's service uses aio-pika as its manual says: what we write it reads, and the reverse."""

    async def test_it_reads_what_we_publish(
        self, both: tuple[BrokerConnection, BrokerConnection], vhost: VHost
    ) -> None:
        message = outgoing(b"x" * 300_000, headers={"traceparent": "00-ab", "é": "✓"})
        event = OutgoingEvent(
            routing_key="order.created",
            body=b"{}",
            headers={"h": "v"},
            message_id="m1",
            correlation_id="c1",
            type="t1",
            content_type="application/json",
        )
        await RabbitPublisher(both[0]).publish([message])
        await RabbitEventPublisher(both[0], SHOP_EVENTS).publish(event)

        async with await aio_pika.connect(vhost.amqp_url) as connection:
            channel = await connection.channel()
            lane = await (await channel.get_queue(LANE)).get()
            ordinary = await (await channel.get_queue("events.ordinary")).get()
        assert lane.body == message.body
        assert message.headers.items() <= lane.headers.items()
        assert lane.headers["x-posthorn-id"] == str(message.id)
        assert lane.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
        assert lane.message_id
        assert lane.message_id != str(message.id)
        assert (ordinary.message_id, ordinary.correlation_id) == ("m1", "c1")
        assert (ordinary.type, ordinary.content_type) == ("t1", "application/json")
        assert ordinary.headers["h"] == "v"
        assert ordinary.delivery_mode == aio_pika.DeliveryMode.PERSISTENT

    async def test_we_read_what_it_publishes(
        self, both: tuple[BrokerConnection, BrokerConnection], vhost: VHost
    ) -> None:
        headers: dict[str, object] = {
            "text": "ü",
            "number": 2**40,
            "small": -3,
            "yes": True,
            "nothing": None,
            "list": [1, "two", {"three": 3}],
            "table": {"nested": {"deep": "x"}},
            "when": datetime(2026, 3, 1, tzinfo=UTC),
        }
        message = aio_pika.Message(
            b"y" * 300_000,
            headers=headers,
            content_type="application/cloudevents+json",
            content_encoding="utf-8",
            priority=3,
            correlation_id="c",
            reply_to="r",
            expiration=60,
            message_id="m",
            timestamp=datetime(2026, 3, 1, tzinfo=UTC),
            type="order.created",
            app_id="shop",
            user_id=urlsplit(vhost.amqp_url).username,
        )
        subscription = await RabbitConsumer(both[1]).subscribe("events.ordinary", 10)
        async with await aio_pika.connect(vhost.amqp_url) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(SHOP_EVENTS)
            await exchange.publish(message, "order.created")
            await exchange.publish(aio_pika.Message(b""), "x" * 255)

        full, bare = await take(subscription, 2)

        assert full.headers == headers
        assert (full.message_id, full.correlation_id, full.type) == ("m", "c", "order.created")
        assert (full.content_type, full.routing_key) == ("application/cloudevents+json", "order.created")
        assert full.body == b"y" * 300_000
        assert (bare.body, bare.headers, bare.routing_key) == (b"", {}, "x" * 255)
        assert bare.type is None


class TestBehindTls:
    """A TLS listener in front of the broker: RabbitMQ's own would need a node of its own."""

    @pytest.fixture
    def certificates(self, tmp_path: Path) -> Path:
        authority = make_certificate(tmp_path, "authority")
        make_certificate(tmp_path, "server", authority)
        make_certificate(tmp_path, "client", authority)
        make_certificate(tmp_path, "stranger")
        return tmp_path

    @asynccontextmanager
    async def proxy(self, certificates: Path, vhost: VHost, *, ask: bool = False) -> AsyncIterator[str]:
        """The URL of a TLS listener that asks for a client's certificate or does not."""
        target = urlsplit(vhost.amqp_url)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates / "server.pem", certificates / "server.key")
        if ask:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(certificates / "authority.pem")

        async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError):
                while data := await reader.read(65_536):
                    writer.write(data)
                    await writer.drain()
            writer.close()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            inside = await asyncio.open_connection(target.hostname, target.port)
            await asyncio.gather(pump(reader, inside[1]), pump(inside[0], writer))

        server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
        port = server.sockets[0].getsockname()[1]
        yield target._replace(
            scheme="amqps", netloc=f"{target.username}:{target.password}@127.0.0.1:{port}"
        ).geturl()
        server.close()

    async def connected(self, url: str, tls: ssl.SSLContext | None) -> BrokerConnection:
        link = BrokerConnection([Endpoint.parse(Secret(url), tls)], name="test")
        await asyncio.wait_for(link.open(), 10)
        return link

    async def test_with_the_authority_it_connects_and_works(self, certificates: Path, vhost: VHost) -> None:
        await lay_out(vhost, ["email"])
        async with self.proxy(certificates, vhost) as url:
            link = await self.connected(url, tls_context(ca_file=str(certificates / "authority.pem")))
            batch = numbered(500)
            assert len((await RabbitPublisher(link).publish(batch)).confirmed) == 500
            await take_and_ack(await RabbitConsumer(link).subscribe(LANE, 500), 500)
            await link.close()

    async def test_an_impostor_is_refused_unless_told_not_to_look(
        self, certificates: Path, vhost: VHost
    ) -> None:
        async with self.proxy(certificates, vhost) as url:
            for tls in (None, tls_context(ca_file=str(certificates / "stranger.pem"))):
                link = await self.connected(url, tls)
                assert "CERTIFICATE_VERIFY_FAILED" in str(link.trouble)
                await link.close()
            link = await self.connected(url, tls_context(verify=False))
            assert link.connected
            await link.close()

    async def test_our_own_certificate_is_shown(self, certificates: Path, vhost: VHost) -> None:
        authority = str(certificates / "authority.pem")
        ours = str(certificates / "client.pem"), str(certificates / "client.key")
        async with self.proxy(certificates, vhost, ask=True) as url:
            link = await self.connected(url, tls_context(ca_file=authority))
            assert not link.connected
            await link.close()
            shown = tls_context(ca_file=authority, certificate=ours[0], key=ours[1])
            link = await self.connected(url, shown)
            assert link.connected
            await link.close()

    def test_a_missing_file_is_named(self) -> None:
        with pytest.raises(Misconfigured, match=r"nowhere\.pem"):
            tls_context(ca_file="nowhere.pem")


def make_certificate(folder: Path, name: str, authority: x509.Certificate | None = None) -> x509.Certificate:
    """Write `name.pem` and `name.key`; without an authority it is one itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(authority.subject if authority else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=authority is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
    )
    signer = key
    if authority:
        loaded = serialization.load_pem_private_key((folder / "authority.key").read_bytes(), None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)
        signer = loaded
    certificate = builder.sign(signer, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate
