"""The topology: the committed file, a broker brought to it, and every kind of drift named."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from functools import partial
from typing import Any
from urllib.parse import quote, urlsplit

import aio_pika
import pytest

from adapters.rabbitmq.channel_queues import RabbitChannelQueues
from adapters.rabbitmq.management_api import ManagementApi
from adapters.rabbitmq.topology import as_json, definitions
from adapters.rabbitmq.topology_check import RabbitTopology
from adapters.rabbitmq.topology_diff import BrokerState, differences
from domain.kernel.errors import BrokerUnavailable, Misconfigured
from domain.kernel.secret import Secret
from tests.support.broker import RabbitServer, VHost
from tests.support.eventually import eventually
from tests.support.sandbox import PROJECT, free_port
from tests.support.topology import links

FILE = PROJECT / "rabbitmq" / "definitions.json"
EMAIL = definitions(["email"])
LANE = "deliver.email.high"


def as_user(url: str, login: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{login}@{parts.hostname}:{parts.port}").geturl()


async def publish(vhost: VHost, queue: str) -> None:
    async with await aio_pika.connect(vhost.amqp_url) as connection:
        message = aio_pika.Message(b"1", delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await (await connection.channel()).default_exchange.publish(message, queue)


async def take(vhost: VHost, queue: str) -> bytes:
    """What lies there, or nothing."""
    async with await aio_pika.connect(vhost.amqp_url) as connection:
        found = await (await connection.channel()).declare_queue(queue, passive=True)
        message = await found.get(fail=False)
        return message.body if message else b""


@pytest.fixture
async def management(vhost: VHost) -> AsyncIterator[ManagementApi]:
    async with ManagementApi(Secret(vhost.management_url), vhost=vhost.name) as management:
        yield management


@pytest.fixture
async def laid_out(management: ManagementApi) -> ManagementApi:
    assert await management.apply(EMAIL, settling=0) == []
    return management


class TestTheDescription:
    def test_the_file_is_what_the_code_describes(self) -> None:
        assert FILE.read_text() == as_json(definitions())
        assert json.loads(FILE.read_text()) == definitions()

    def test_it_holds_no_users_and_nothing_that_looks_like_a_credential(self) -> None:
        assert json.loads(FILE.read_text()).keys() == {
            "vhosts",
            "exchanges",
            "queues",
            "bindings",
            "policies",
        }

    def test_a_channel_more_is_lanes_more(self) -> None:
        names = {queue["name"] for queue in definitions(["email", "fax"])["queues"]}
        lanes = {f"deliver.fax.{word}" for word in ("critical", "high", "medium", "low")}
        assert lanes | {f"{lane}.dlq" for lane in lanes} <= names
        with pytest.raises(ValueError, match="telex"):
            definitions(["telex.de"])

    def test_the_delaying_plugin_is_one_exchange_and_one_way_more_and_only_when_asked_for(self) -> None:
        plain, more = definitions(["email"]), definitions(["email"], plugin=True)
        [exchange] = [item for item in more["exchanges"] if item not in plain["exchanges"]]
        [binding] = [item for item in more["bindings"] if item not in plain["bindings"]]
        assert (exchange["name"], exchange["type"]) == ("delay.plugin", "x-delayed-message")
        assert exchange["arguments"] == {"x-delayed-type": "fanout"}, "an alternate exchange would take all"
        assert (binding["source"], binding["destination"]) == ("delay.plugin", "due")
        assert (more["queues"], more["policies"]) == (plain["queues"], plain["policies"])

    def test_no_queue_dead_letters_to_itself_and_no_target_is_bounded(self) -> None:
        described = definitions()
        for queue in described["queues"]:
            assert not {"x-max-length", "x-max-length-bytes"} & queue["arguments"].keys()
            assert queue["arguments"].get("x-dead-letter-exchange") != queue["name"]
        for policy in described["policies"]:
            assert not {"max-length", "max-length-bytes"} & policy["definition"].keys()

    def test_every_dead_lettering_is_at_least_once(self) -> None:
        described = definitions()
        settings = [
            {key.removeprefix("x-"): value for key, value in queue["arguments"].items()}
            for queue in described["queues"]
        ] + [policy["definition"] for policy in described["policies"]]
        dying = [setting for setting in settings if "dead-letter-exchange" in setting]
        assert len(dying) == 28 + 3
        for setting in dying:
            assert setting["dead-letter-strategy"] == "at-least-once"
            assert setting["overflow"] == "reject-publish"


class TestApplying:
    async def test_an_empty_virtual_host_gets_everything_in_seconds(self, management: ManagementApi) -> None:
        described = definitions()
        began = time.monotonic()
        assert await management.apply(described, settling=0) == []
        assert time.monotonic() - began < 8
        assert await management.check(described) == []

    async def test_what_is_confirmed_the_moment_it_is_laid_out_outlasts_a_kill(
        self, killable_rabbitmq: RabbitServer
    ) -> None:
        """Of one queue: making many takes so long that the first are no longer young."""
        lane = [queue for queue in EMAIL["queues"] if queue["name"] == LANE]
        one_queue = EMAIL | {"queues": lane, "exchanges": [], "bindings": [], "policies": []}
        with killable_rabbitmq.fresh_vhost() as vhost:
            async with ManagementApi(Secret(vhost.management_url), vhost=vhost.name) as management:
                assert await management.apply(one_queue) == []
            await publish(vhost, LANE)
            killable_rabbitmq.kill()
            assert not killable_rabbitmq.is_ready()
            await asyncio.to_thread(killable_rabbitmq.start)
            assert await eventually(partial(take, vhost, LANE), timeout=20) == b"1"

    async def test_again_it_changes_nothing(self, laid_out: ManagementApi) -> None:
        assert await laid_out.apply(EMAIL, settling=0) == []

    async def test_a_subset_leaves_the_lanes_of_other_channels_alone(self, management: ManagementApi) -> None:
        both = definitions(["email", "sms"])
        await management.apply(both, settling=0)
        assert await management.apply(EMAIL, settling=0) == []
        assert await management.check(both) == []

    async def test_the_committed_file_loads_and_is_complete(
        self, rabbitmq_server: RabbitServer, vhost: VHost, management: ManagementApi
    ) -> None:
        rabbitmq_server.api("POST", f"/definitions/{vhost.name}", json.loads(FILE.read_text()))
        assert await management.check(definitions()) == []

    async def test_users_below_administrators_may_apply(
        self, rabbitmq_server: RabbitServer, vhost: VHost
    ) -> None:
        user = vhost.name
        rabbitmq_server.api("PUT", f"/users/{user}", {"password": "pw", "tags": "policymaker,monitoring"})
        rights = {"configure": ".*", "write": ".*", "read": ".*"}
        rabbitmq_server.api("PUT", f"/permissions/{vhost.name}/{user}", rights)
        url = as_user(vhost.management_url, f"{user}:pw")
        async with ManagementApi(Secret(url), vhost=vhost.name) as management:
            assert await management.apply(EMAIL, settling=0) == []
        rabbitmq_server.api("DELETE", f"/users/{user}")


class TestDrift:
    """Each is done to a broker, seen by `check`, and mended by `apply` where that can be."""

    @pytest.fixture
    def api(self, rabbitmq_server: RabbitServer, vhost: VHost) -> Any:
        def call(method: str, kind: str, path: str, body: object = None) -> Any:
            return rabbitmq_server.api(method, f"/{kind}/{vhost.name}/{path}", body)

        return call

    async def seen_and_mended(self, management: ManagementApi, *expected: str) -> None:
        seen = [str(difference) for difference in await management.check(EMAIL)]
        assert sorted(seen) == sorted(f"{text} (run posthorn topology apply)" for text in expected)
        assert await management.apply(EMAIL, settling=0) == []

    async def seen_and_left(self, management: ManagementApi, subject: str, problem: str, mend: str) -> None:
        for look in (management.check, partial(management.apply, settling=0)):
            [difference] = await look(EMAIL)
            assert (difference.subject, difference.problem) == (subject, problem)
            assert mend in difference.mend

    async def test_a_missing_queue_and_what_was_bound_to_it(self, laid_out: ManagementApi, api: Any) -> None:
        api("DELETE", "queues", "deliver.email.low")
        await self.seen_and_mended(
            laid_out,
            "queue deliver.email.low: is missing",
            "binding due -> queue deliver.email.low by email.low.#: is missing",
        )

    async def test_a_missing_exchange(self, laid_out: ManagementApi, api: Any) -> None:
        api("DELETE", "exchanges", "control")
        await self.seen_and_mended(laid_out, "exchange control: is missing")

    async def test_a_missing_binding(self, laid_out: ManagementApi, api: Any) -> None:
        api("DELETE", "bindings", f"e/shop.events/e/events.sorted/{quote('#', safe='')}")
        await self.seen_and_mended(laid_out, "binding shop.events -> exchange events.sorted by #: is missing")

    async def test_a_binding_too_many(self, laid_out: ManagementApi, api: Any) -> None:
        api("POST", "bindings", "e/events.sorted/q/events.parked", {"routing_key": "order.#"})
        await self.seen_and_mended(
            laid_out, "binding events.sorted -> queue events.parked by order.#: should not be there"
        )

    async def test_bindings_of_others_to_the_shops_exchange_are_theirs(
        self, laid_out: ManagementApi, api: Any
    ) -> None:
        api("PUT", "queues", "warehouse", {"durable": True})
        api("POST", "bindings", "e/shop.events/q/warehouse", {"routing_key": "order.#"})
        assert await laid_out.check(EMAIL) == []

    async def test_another_policy(self, laid_out: ManagementApi, api: Any) -> None:
        changed = {"pattern": "^x$", "definition": {"delivery-limit": 3}, "priority": 1, "apply-to": "all"}
        api("PUT", "policies", "posthorn-events", changed)
        await self.seen_and_mended(
            laid_out,
            r"policy posthorn-events: pattern is ^x$, not ^events\.(critical|ordinary)$",
            "policy posthorn-events: apply-to is all, not queues",
            "policy posthorn-events: priority is 1, not 10",
            "policy posthorn-events: delivery-limit is 3, not 10",
            "policy posthorn-events: dead-letter-exchange is not set, not events.parked",
            "policy posthorn-events: dead-letter-strategy is not set, not at-least-once",
            "policy posthorn-events: overflow is not set, not reject-publish",
        )

    async def test_a_missing_policy(self, laid_out: ManagementApi, api: Any) -> None:
        api("DELETE", "policies", "posthorn-lanes")
        await self.seen_and_mended(laid_out, "policy posthorn-lanes: is missing")

    async def test_a_policy_of_others_that_displaces_ours(self, laid_out: ManagementApi, api: Any) -> None:
        rival = {"pattern": "low$", "definition": {"max-length": 5}, "priority": 99, "apply-to": "queues"}
        api("PUT", "policies", "rival", rival)
        await self.seen_and_left(
            laid_out,
            "queue deliver.email.low",
            "policy rival of priority 99 displaces posthorn-lanes",
            "lower the priority of rival",
        )

    async def test_an_operators_policy_that_bounds_a_queue(self, laid_out: ManagementApi, api: Any) -> None:
        bound = {"pattern": "^intake$", "definition": {"max-length": 5}, "priority": 0, "apply-to": "queues"}
        api("PUT", "operator-policies", "bounds", bound)
        await self.seen_and_left(
            laid_out,
            "queue intake",
            "operator policy bounds sets max-length: messages would be lost or stopped",
            "exempt the queue from bounds",
        )

    async def test_arguments_cannot_be_changed_and_it_says_what_to_do(
        self, laid_out: ManagementApi, api: Any
    ) -> None:
        api("DELETE", "queues", "delay.03")
        wrong = {"x-queue-type": "quorum", "x-message-ttl": 9, "x-max-length": 10, "x-overflow": "drop-head"}
        api("PUT", "queues", "delay.03", {"durable": True, "arguments": wrong})
        problems = {
            "argument x-message-ttl is 9, not 8000",
            "argument x-overflow is drop-head, not reject-publish",
            "has an argument too many: x-max-length = 10",
            "lacks argument x-dead-letter-exchange = delay.02",
            "lacks argument x-dead-letter-strategy = at-least-once",
        }
        left = await laid_out.apply(EMAIL, settling=0)
        assert {difference.problem for difference in left} == problems
        assert {difference.subject for difference in left} == {"queue delay.03"}
        assert all("move its messages away, delete it" in difference.mend for difference in left)

    async def test_an_exchange_of_another_type(self, laid_out: ManagementApi, api: Any) -> None:
        api("DELETE", "exchanges", "notifications.events")
        api("PUT", "exchanges", "notifications.events", {"type": "direct", "durable": True})
        await self.seen_and_left(
            laid_out, "exchange notifications.events", "type is direct, not topic", "delete it"
        )

    def test_too_few_replicas_on_a_cluster(self) -> None:
        queues = [{**queue, "members": ["rabbit@one"]} for queue in EMAIL["queues"]]
        cluster = BrokerState(
            exchanges=EMAIL["exchanges"],
            queues=[*queues[1:], {**queues[0], "members": ["rabbit@one", "rabbit@two", "rabbit@three"]}],
            bindings=EMAIL["bindings"],
            policies=EMAIL["policies"],
            operator_policies=[],
            nodes=5,
        )
        found = differences(EMAIL, cluster)
        assert {difference.subject for difference in found} == {f"queue {q['name']}" for q in queues[1:]}
        assert {difference.problem for difference in found} == {"has 1 replicas, not 3"}


class TestTheManagementApi:
    async def test_an_unknown_virtual_host_a_wrong_password_and_nobody(self, vhost: VHost) -> None:
        async with ManagementApi(Secret(vhost.management_url), vhost="no such") as management:
            with pytest.raises(Misconfigured, match="no such"):
                await management.check(EMAIL)
        stranger = as_user(vhost.management_url, "guest:wrong")
        async with ManagementApi(Secret(stranger), vhost=vhost.name) as management:
            with pytest.raises(Misconfigured, match="refuses user guest") as refused:
                await management.apply(EMAIL, settling=0)
        assert "wrong" not in str(refused.value)
        async with ManagementApi(Secret(f"http://127.0.0.1:{free_port()}"), vhost="/") as management:
            with pytest.raises(BrokerUnavailable):
                await asyncio.wait_for(management.check(EMAIL), 10)


class TestChannelsOfTheApi:
    async def test_what_is_made_by_amqp_is_what_would_be_described(
        self, vhost: VHost, laid_out: ManagementApi
    ) -> None:
        async with links(vhost) as (_, consuming):
            await RabbitChannelQueues(consuming, settling=0.0).make("pigeon")
        assert await laid_out.check(definitions(["email", "pigeon"])) == []

    async def test_who_does_not_know_of_them_leaves_them_alone(
        self, vhost: VHost, laid_out: ManagementApi
    ) -> None:
        async with links(vhost) as (_, consuming):
            await RabbitChannelQueues(consuming, settling=0.0).make("pigeon")
        assert await laid_out.check(EMAIL) == []
        assert await laid_out.apply(EMAIL, settling=0) == []
        assert await laid_out.check(definitions(["email", "pigeon"])) == []

    async def test_a_broker_that_has_lost_its_data_gets_them_back(
        self, vhost: VHost, laid_out: ManagementApi
    ) -> None:
        async def made() -> frozenset[str]:
            return frozenset({"pigeon"})

        async with links(vhost) as (_, consuming):
            queues = RabbitChannelQueues(consuming, settling=0.0)
            topology = RabbitTopology(consuming, EMAIL, None, made=made, queues=queues)
            assert await topology.lay_out() is None
        assert await laid_out.check(definitions(["email", "pigeon"])) == []

    async def test_without_the_shipped_topology_they_say_what_to_do(self, vhost: VHost) -> None:
        async with links(vhost) as (_, consuming):
            with pytest.raises(BrokerUnavailable, match="posthorn topology apply"):
                await RabbitChannelQueues(consuming, settling=0.0).make("pigeon")
