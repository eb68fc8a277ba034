"""The mark on a real broker: what takes it away, and what must not."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import quote
from uuid import uuid4

import pytest

from adapters.rabbitmq.management_api import ManagementApi
from adapters.rabbitmq.marker import PREFIX, RabbitMarker
from adapters.rabbitmq.topology import definitions
from adapters.rabbitmq.topology_check import RabbitTopology
from domain.kernel.errors import BrokerUnavailable
from domain.kernel.secret import Secret
from tests.support.broker import RabbitServer, VHost
from tests.support.eventually import eventually
from tests.support.topology import lay_out, links

EMAIL = definitions(["email"])


@pytest.fixture
async def marker(vhost: VHost) -> AsyncIterator[RabbitMarker]:
    async with links(vhost) as (publishing, consuming):
        yield RabbitMarker(consuming, publishing)


async def test_it_outlasts_a_restart_and_not_the_loss_of_the_data(killable_rabbitmq: RabbitServer) -> None:
    with killable_rabbitmq.fresh_vhost() as vhost:
        planted = uuid4()
        async with links(vhost) as (publishing, consuming):
            marker = RabbitMarker(consuming, publishing)
            await marker.place(planted)
            await asyncio.to_thread(killable_rabbitmq.restart)
            assert await _sure(marker, planted)
        await asyncio.to_thread(killable_rabbitmq.wipe)
        await asyncio.to_thread(killable_rabbitmq.start)
        assert [found["name"] for found in killable_rabbitmq.api("GET", "/vhosts")] == ["/"]
        killable_rabbitmq.create_vhost(vhost.name)
        async with links(vhost) as (publishing, consuming):
            assert not await _sure(RabbitMarker(consuming, publishing), planted)


async def _sure(marker: RabbitMarker, planted: object) -> bool:
    """The first answer: none is given while the broker is away, or has no leader for the queue."""

    async def answers() -> list[bool]:
        try:
            return [await marker.exists(planted)]
        except BrokerUnavailable:
            return []

    [exists] = await eventually(answers, timeout=30)
    return exists


async def test_a_broker_set_up_from_exported_definitions_has_lost_its_data(
    rabbitmq_server: RabbitServer, vhost: VHost, marker: RabbitMarker
) -> None:
    planted = uuid4()
    await marker.place(planted)
    exported = rabbitmq_server.api("GET", f"/definitions/{vhost.name}")
    assert f"{PREFIX}{planted}" in {queue["name"] for queue in exported["queues"]}
    with rabbitmq_server.fresh_vhost() as another:
        rabbitmq_server.api("POST", f"/definitions/{another.name}", exported)
        async with links(another) as (publishing, consuming):
            assert not await RabbitMarker(consuming, publishing).exists(planted)
    assert await marker.exists(planted)


async def test_policies_that_match_all_queues_do_not_touch_it(
    rabbitmq_server: RabbitServer, vhost: VHost, marker: RabbitMarker
) -> None:
    await lay_out(vhost, ["email"])
    deadly = {
        "pattern": ".*",
        "apply-to": "queues",
        "priority": 0,
        "definition": {"message-ttl": 1, "expires": 1000, "max-length": 0},
    }
    rabbitmq_server.api("PUT", f"/policies/{vhost.name}/everything", deadly)
    planted, control = uuid4(), "unprotected"
    rabbitmq_server.api(
        "PUT",
        f"/queues/{vhost.name}/{control}",
        {"durable": True, "arguments": {"x-queue-type": "quorum"}},
    )
    await marker.place(planted)

    def gone() -> bool:
        names = {queue["name"] for queue in rabbitmq_server.api("GET", f"/queues/{vhost.name}")}
        return control not in names

    await eventually(gone, timeout=30)
    assert await marker.exists(planted)


async def test_a_topology_with_marks_is_as_described(vhost: VHost, marker: RabbitMarker) -> None:
    await lay_out(vhost, ["email"])
    await marker.place(uuid4())
    async with ManagementApi(Secret(vhost.management_url), vhost=vhost.name) as management:
        assert await management.check(EMAIL) == []
        assert await management.apply(EMAIL, settling=0) == []


async def test_a_mark_in_somebodys_hands_is_not_lost_for_long(vhost: VHost) -> None:
    planted = uuid4()
    async with links(vhost) as (publishing, consuming):
        marker = RabbitMarker(consuming, publishing)
        await marker.place(planted)
        channel = await consuming.channel()
        await channel.basic_get(f"{PREFIX}{planted}")
        assert not await marker.exists(planted)
        await channel.close()
        await eventually(lambda: marker.exists(planted))


class TestLayingOut:
    @pytest.fixture
    async def looked(self, vhost: VHost) -> AsyncIterator[RabbitTopology]:
        async with links(vhost) as (_, consuming):
            yield RabbitTopology(consuming, EMAIL, None)

    async def test_what_stands_lacks_nothing(self, vhost: VHost, looked: RabbitTopology) -> None:
        await lay_out(vhost, ["email"])
        assert await looked.lay_out() is None

    async def test_without_a_management_api_it_says_what_is_missing(
        self, rabbitmq_server: RabbitServer, vhost: VHost, looked: RabbitTopology
    ) -> None:
        assert await looked.lay_out() == "queue deliver.email.critical is missing"
        await lay_out(vhost, ["email"])
        rabbitmq_server.api("DELETE", f"/exchanges/{quote(vhost.name, safe='')}/due")
        assert await looked.lay_out() == "exchange due is missing"

    async def test_with_one_it_makes_everything(self, vhost: VHost) -> None:
        def management() -> ManagementApi:
            return ManagementApi(Secret(vhost.management_url), vhost=vhost.name)

        async with links(vhost) as (_, consuming):
            assert await RabbitTopology(consuming, EMAIL, management).lay_out() is None
        async with management() as made:
            assert await made.check(EMAIL) == []

    async def test_a_management_api_that_is_away_is_said_too(self, vhost: VHost) -> None:
        def management() -> ManagementApi:
            return ManagementApi(Secret("http://localhost:1"), vhost=vhost.name)

        async with links(vhost) as (_, consuming):
            topology = RabbitTopology(consuming, EMAIL, management)
            lacking = await topology.lay_out()
            assert lacking is not None
            assert lacking.startswith("queue deliver.email.critical is missing; management API at")
            await lay_out(vhost, ["email"])
            assert await topology.lay_out() is None
