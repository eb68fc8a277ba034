"""Shop events over RabbitMQ into PostgreSQL: the shop publishes with a client of its own."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any

import aio_pika
import pytest

from adapters.addresses import LocalAddresses
from adapters.crypto.vault import LocalVault
from adapters.postgres.core.database import Database
from adapters.postgres.device.devices import PostgresDevices
from adapters.postgres.notification.acceptance import PostgresAcceptance
from adapters.postgres.template.templates import PostgresTemplates
from adapters.postgres.trigger.triggers import PostgresTriggers
from adapters.postgres.user.users import PostgresUsers
from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.publisher import RabbitPublisher
from adapters.system import SystemClock, SystemIds
from application.device.update import UpdateDevices
from application.event.handle import HandleEvents
from application.event.install_catalog import InstallCatalog
from application.event.trigger_index import TriggerIndex
from application.notification.choose_routes import ChooseRoutes
from application.notification.group_commit import GroupCommit
from application.notification.packing import Pack
from application.notification.prepare import Prepare
from application.notification.seal import Seal
from application.notification.submit import SubmitNotification
from application.outbox.ports import OutboxMessage
from application.privacy.sealing import open_profile
from application.template.cached import CachedTemplates
from application.user.update import UpdateUsers
from config.catalog import load_catalog
from domain.kernel.channel import CHANNELS
from domain.kernel.ids import derived_user_id
from entrypoints.amqp.parking import CRITICAL, ORDINARY, PARKED
from entrypoints.amqp.shop_events import EventBatches
from entrypoints.engine.consumer.batch_consumer import BatchConsumer
from tests.support.broker import RabbitServer, VHost
from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.postgres import PostgresServer
from tests.support.telemetry import RecordedTelemetry
from tests.support.topology import lay_out, links

ORDER = {"orderId": "123", "userId": "456", "total": 99.99, "items": [{"name": "Desk lamp"}]}
ANN = {"userId": "456", "email": "Ann@Example.com", "phone": "+4930901820", "name": "Ann"}


class NobodyPublishes:
    """A hand-off without a relay: what was committed stays in the outbox."""

    waiting = 0

    def offer(self, messages: Sequence[OutboxMessage]) -> None:
        """Forget them."""


class Entrance:
    """What `posthorn events` runs, on a broker and a database of the test's own."""

    def __init__(self, dsn: str, vhost: VHost) -> None:
        self.vhost = vhost
        self.database = Database(dsn)
        self.vault = LocalVault.from_master(b"m" * 32)
        self.users = PostgresUsers(database=self.database)
        self.templates = PostgresTemplates(database=self.database)
        self.triggers = PostgresTriggers(database=self.database)
        self.telemetry = RecordedTelemetry()
        self.consumers: list[BatchConsumer] = []
        self._stack = AsyncExitStack()
        self._running: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Entrance":
        await self._stack.enter_async_context(self.database)
        await lay_out(self.vhost)
        self.proxy = await self._stack.enter_async_context(FaultProxy(self.vhost.amqp_url))
        both = links(self.vhost, consuming=self.proxy.url)
        publishing, consuming = await self._stack.enter_async_context(both)
        shop = await self._stack.enter_async_context(await aio_pika.connect(self.vhost.amqp_url))
        self._channel = await shop.channel()
        self._exchange = await self._channel.get_exchange("shop.events")
        catalog = load_catalog()
        install = InstallCatalog(templates=self.templates, triggers=self.triggers)
        await install(catalog.templates, catalog.triggers)
        batches = EventBatches(
            handle=self.handle(),
            publisher=RabbitPublisher(publishing),
            ids=SystemIds(),
            telemetry=self.telemetry,
        )
        consumer, clock = RabbitConsumer(consuming), SystemClock()
        self.consumers = [
            BatchConsumer(name=queue, consumer=consumer, batches=batches, clock=clock, batch_max=50)
            for queue in (CRITICAL, ORDINARY)
        ]
        self._running = [asyncio.create_task(consumer.run()) for consumer in self.consumers]
        return self

    async def __aexit__(self, *_: object) -> None:
        for consumer in self.consumers:
            consumer.stop()
        await asyncio.wait_for(asyncio.gather(*self._running), 20)
        await self._stack.aclose()

    def handle(self) -> HandleEvents:
        ids, clock, nobody = SystemIds(), SystemClock(), NobodyPublishes()
        prepare = Prepare(
            choose=ChooseRoutes(
                templates=CachedTemplates(templates=self.templates, clock=clock, fresh=timedelta()),
                channels=frozenset(CHANNELS),
            ),
            addresses=LocalAddresses(),
            vault=self.vault,
            ids=ids,
        )
        commit = GroupCommit(
            acceptance=PostgresAcceptance(database=self.database, process=ids.next()),
            seal=Seal(vault=self.vault),
            pack=Pack(ids=ids, handoff=nobody, backlog=100),
            handoff=nobody,
        )
        update_users = UpdateUsers(
            users=self.users, vault=self.vault, addresses=LocalAddresses(), clock=clock
        )
        return HandleEvents(
            triggers=TriggerIndex(triggers=self.triggers, clock=clock),
            update_users=update_users,
            update_devices=UpdateDevices(
                devices=PostgresDevices(database=self.database),
                users=self.users,
                make_users=update_users,
                vault=self.vault,
                addresses=LocalAddresses(),
                clock=clock,
            ),
            submit=SubmitNotification(prepare=prepare, commit=commit).many,
        )

    async def publish(self, key: str, body: Any, **properties: Any) -> None:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        await self._exchange.publish(aio_pika.Message(raw, delivery_mode=2, **properties), key)

    async def cloud_event(self, key: str, id_: str, data: Any, **attributes: Any) -> None:
        envelope = {"specversion": "1.0", "id": id_, "source": "/shop", "type": key, "data": data}
        await self.publish(key, envelope | attributes, content_type="application/cloudevents+json")

    async def depth(self, queue: str) -> int:
        """Messages in a queue, as the broker says; those in somebody's hands are not counted."""
        declared = await (await self._channel.get_queue(queue)).declare()
        return int(declared.message_count or 0)

    async def value(self, query: str, *args: Any) -> Any:
        [row] = await self.database.fetch(query, *args)
        return row[0]

    async def notifications(self) -> list[tuple[Any, ...]]:
        rows = await self.database.fetch(
            'SELECT type, "class", priority, created_by, status FROM notifications ORDER BY id'
        )
        return [tuple(row) for row in rows]

    def done(self, count: int) -> bool:
        """So many events are done with."""
        return sum(self.telemetry.events.values()) == count


@pytest.fixture
async def entrance(database: str, vhost: VHost) -> AsyncIterator[Entrance]:
    async with Entrance(database, vhost) as entrance:
        yield entrance


async def test_a_customer_and_an_order_as_the_shop_writes_them(entrance: Entrance) -> None:
    await entrance.publish("user.created", ANN, type="UserCreated", message_id="u-1")
    await entrance.publish("order.created", ORDER, type="OrderCreated", message_id="o-1")
    await eventually(lambda: entrance.done(2))

    assert await entrance.notifications() == [
        ("order_confirmation", "transactional", 1, "trigger:order_created", "queued")
    ]
    who = derived_user_id(entrance.vault.index("user", "456"))
    assert await entrance.value("SELECT user_id FROM notification_deliveries") == who
    assert await entrance.value("SELECT queue FROM outbox") == "deliver.email.high"
    row = (await entrance.users.get([who]))[who]
    assert row.data_key is not None
    assert row.profile is not None
    profile = open_profile(entrance.vault.unwrap(row.data_key, who), who, row.profile)
    assert (profile.email, profile.phone) == ("Ann@example.com", "+4930901820")
    assert entrance.telemetry.events == {("user.created", "written"): 1, ("order.created", "handled"): 1}


async def test_odd_values_in_an_order_cost_a_known_customer_no_confirmation(entrance: Entrance) -> None:
    await entrance.publish("user.created", ANN, type="UserCreated", message_id="u-1")
    odd = [
        {"email": "", "name": "", "locale": "en_US.UTF-8"},
        {"email": None, "name": None, "locale": ""},
        {"email": "see account", "name": "n" * 300, "locale": "German"},
    ]
    for n, values in enumerate(odd):
        await entrance.publish("order.created", ORDER | {"orderId": str(n)} | values, message_id=f"o-{n}")
    await eventually(lambda: entrance.done(4))
    assert entrance.telemetry.events == {("user.created", "written"): 1, ("order.created", "handled"): 3}
    assert entrance.telemetry.kept_out_ == {"bad_email": 1, "bad_name": 1, "bad_locale": 1}
    who = derived_user_id(entrance.vault.index("user", "456"))
    assert await entrance.value("SELECT count(*) FROM notification_deliveries WHERE user_id = $1", who) == 3


async def test_the_same_event_five_times_is_one_notification(entrance: Entrance) -> None:
    for n in range(5):
        if n == 3:
            await eventually(lambda: entrance.done(3))
        await entrance.cloud_event(
            "product.back_in_stock", "e-1", load_catalog().samples["back_in_stock"].data
        )
    await eventually(lambda: entrance.done(5))
    assert len(await entrance.notifications()) == 1
    assert entrance.telemetry.events == {
        ("product.back_in_stock", "handled"): 1,
        ("product.back_in_stock", "absorbed"): 4,
    }


async def test_an_order_told_again_under_another_event_id_is_one_and_other_data_is_counted(
    entrance: Entrance,
) -> None:
    await entrance.cloud_event("order.created", "e-1", ORDER)
    await eventually(lambda: entrance.done(1))
    await entrance.cloud_event("order.created", "e-2", ORDER)
    await entrance.cloud_event("order.created", "e-3", ORDER | {"total": 1})
    await eventually(lambda: entrance.done(3))
    assert len(await entrance.notifications()) == 1
    assert entrance.telemetry.events == {
        ("order.created", "handled"): 1,
        ("order.created", "absorbed"): 1,
        ("order.created", "reused"): 1,
    }


async def test_a_password_reset_asked_for_twice_is_two_on_the_critical_queue(entrance: Entrance) -> None:
    data = {"userId": "456", "resetUrl": "https://shop.example/reset/1"}
    entrance.consumers[1].stop()
    await entrance.cloud_event("user.password_reset_requested", "e-1", data)
    await entrance.cloud_event("user.password_reset_requested", "e-2", data)
    await eventually(lambda: entrance.done(2))
    assert (
        await entrance.notifications()
        == [("password_reset", "otp", 0, "trigger:password_reset", "queued")] * 2
    )


async def test_bad_events_are_parked_and_two_hundred_good_ones_are_accepted(entrance: Entrance) -> None:
    bad = {
        "nul": b'{"orderId": "x", "userId": "1", "total": 1, "note": "\\u0000"}',
        "surrogate": b'{"orderId": "x", "userId": "1", "total": 1, "note": "\\ud800"}',
        "overflow": b'{"orderId": "x", "userId": "1", "total": 1e999999}',
        "no total": b'{"orderId": "x", "userId": "1"}',
        "no json": b"<order/>",
    }
    parked = list(bad.items())
    for n in range(200):
        await entrance.cloud_event("order.created", f"e-{n}", ORDER | {"orderId": str(n)})
        if n % 40 == 0:
            name, body = parked[n // 40]
            await entrance.publish("order.created", body, message_id=name)
    await eventually(lambda: entrance.done(205), timeout=30)

    assert await entrance.value("SELECT count(*) FROM notifications") == 200
    assert await entrance.value("SELECT count(*) FROM notification_deliveries") == 200
    await eventually(lambda: parked_are(entrance, 5))
    queue = await entrance._channel.get_queue(PARKED)
    reasons = {}
    for _ in bad:
        message = await queue.get()
        reasons[message.headers["x-posthorn-message-id"]] = message.headers["x-posthorn-reason"]
        assert message.body == bad[str(message.headers["x-posthorn-message-id"])]
    assert "NUL" in reasons["nul"]
    assert "needs the variable 'total'" in reasons["no total"]
    assert reasons.keys() == bad.keys()


async def parked_are(entrance: Entrance, count: int) -> bool:
    return await entrance.depth(PARKED) == count


async def test_what_was_parked_and_moved_back_by_hand_is_handled(
    entrance: Entrance, rabbitmq_server: RabbitServer
) -> None:
    await entrance.templates.activate("order_confirmation_email", None, expected=None)
    await entrance.publish("order.created", ORDER, type="OrderCreated", message_id="o-1")
    await eventually(lambda: parked_are(entrance, 1))
    await entrance.templates.activate("order_confirmation_email", 1, expected=None)

    await asyncio.to_thread(rabbitmq_server.move, entrance.vhost.name, PARKED, ORDINARY)

    async def handled() -> bool:
        return await entrance.value("SELECT count(*) FROM notifications") == 1

    await eventually(handled, timeout=30)
    assert await entrance.value("SELECT type FROM notifications") == "order_confirmation"


async def test_a_connection_cut_in_mid_stream_loses_and_doubles_nothing(entrance: Entrance) -> None:
    for n in range(300):
        await entrance.cloud_event("order.created", f"e-{n}", ORDER | {"orderId": str(n)})
        if n in (100, 200):
            entrance.proxy.cut()

    async def all_there() -> bool:
        return await entrance.value("SELECT count(*) FROM notifications") == 300

    await eventually(all_there, timeout=30)
    await eventually(lambda: sum(entrance.telemetry.events.values()) >= 300, timeout=30)
    assert await entrance.value("SELECT count(*) FROM notifications") == 300
    assert await entrance.depth(PARKED) == 0


async def test_a_database_restarted_in_mid_stream_loses_and_doubles_nothing(
    entrance: Entrance, postgres_server: PostgresServer
) -> None:
    async def publish() -> None:
        for n in range(300):
            await entrance.cloud_event("order.created", f"e-{n}", ORDER | {"orderId": str(n)})

    publishing = asyncio.create_task(publish())
    await eventually(lambda: sum(entrance.telemetry.events.values()) > 20)
    await asyncio.to_thread(postgres_server.kill)
    await eventually(lambda: entrance.telemetry.troubled_by("events.waiting"))
    await publishing
    await asyncio.to_thread(postgres_server.start)
    await eventually(lambda: entrance.done(300), timeout=40)
    assert await entrance.value("SELECT count(*) FROM notifications") == 300
    assert await entrance.value("SELECT count(*) FROM notification_deliveries") == 300
    assert await entrance.depth(PARKED) == 0
