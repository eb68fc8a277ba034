"""The delaying plugin: what stands without it is told, and what it cannot hold takes the ladder."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import aio_pika
import pytest

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.delay_plugin import DELAYED, DELAYED_TYPE, DelayPluginPublisher, require
from adapters.rabbitmq.management_api import ManagementApi
from adapters.rabbitmq.topology import definitions
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret
from tests.contract.broker import outgoing
from tests.support.broker import RabbitServer, VHost
from tests.support.postgres import PostgresServer
from tests.support.process import Child
from tests.support.sandbox import Sandbox
from tests.support.shop import SECRET, opened_shop
from tests.support.topology import lay_out, links

EMAIL = definitions(["email"], plugin=True)
Start = Callable[..., Child]


@pytest.fixture
async def management(vhost: VHost) -> AsyncIterator[ManagementApi]:
    async with ManagementApi(Secret(vhost.management_url), vhost=vhost.name) as management:
        yield management


@pytest.fixture
def without(rabbitmq_server: RabbitServer) -> None:
    """A broker that does not know the exchange type."""
    if not rabbitmq_server.lacks_exchange_type(DELAYED_TYPE):
        pytest.skip(f"RabbitMQ {rabbitmq_server.version()} with exchange type {DELAYED_TYPE}")


@pytest.fixture
def within(rabbitmq_server: RabbitServer) -> None:
    """A broker that knows it."""
    if lacking := rabbitmq_server.lacks_exchange_type(DELAYED_TYPE):
        pytest.skip(lacking)


async def test_what_waits_longer_than_a_day_takes_the_ladder(vhost: VHost) -> None:
    await lay_out(vhost, ["email"])
    async with links(vhost) as (publishing, _):
        message = outgoing(delay=timedelta(days=1, seconds=1))
        assert (await DelayPluginPublisher(publishing).publish_later([message])).confirmed == [message.id]
    async with await aio_pika.connect(vhost.amqp_url) as connection:
        level = await (await connection.channel()).declare_queue("delay.16", passive=True)
    assert level.declaration_result.message_count == 1


@pytest.mark.usefixtures("without")
async def test_a_broker_without_it_is_told_how_to_get_it_and_gets_the_rest(management: ManagementApi) -> None:
    left = [str(difference) for difference in await management.apply(EMAIL, settling=0)]
    mend = "by hand: enable the broker's plugin that brings it, then run posthorn topology apply"
    assert left[0] == f"exchange type {DELAYED_TYPE}: is not known to the broker ({mend})"
    assert [line.partition(": is missing")[0] for line in left[1:]] == [
        f"exchange {DELAYED}",
        f"binding {DELAYED} -> exchange due",
    ]
    assert await management.check(definitions(["email"])) == []


@pytest.mark.usefixtures("within")
async def test_a_broker_with_it_gets_the_exchange_and_can_go_back_to_the_ladder(
    management: ManagementApi,
) -> None:
    assert await management.apply(EMAIL, settling=0) == []
    assert await management.check(definitions(["email"])) == []


@pytest.mark.usefixtures("within")
async def test_an_exchange_of_that_name_and_another_type_is_refused(
    rabbitmq_server: RabbitServer, vhost: VHost
) -> None:
    rabbitmq_server.api("PUT", f"/exchanges/{vhost.name}/{DELAYED}", {"type": "topic", "durable": True})
    async with links(vhost) as (publishing, _):
        with pytest.raises(Misconfigured, match="inequivalent arg 'type'"):
            await require(publishing)


async def test_a_process_that_shall_use_it_ends_at_once_where_it_is_missing(
    posthorn: Start, database: str, vhost: VHost
) -> None:
    settings = {
        "POSTHORN_DB__URL": database,
        "POSTHORN_AMQP__URL": vhost.amqp_url,
        "POSTHORN_AMQP__DELAYS": "plugin",
        "POSTHORN_VAULT__SECRET": SECRET,
    }
    child = posthorn("worker", env=settings)
    assert await child.wait() == 2
    assert child.log_text() == (
        "posthorn: amqp.delays is plugin, and the broker says NOT_FOUND - no exchange 'delay.plugin' in "
        f"vhost '{vhost.name}': enable rabbitmq_delayed_message_exchange and run `posthorn topology apply`, "
        "or set amqp.delays to ladder\n"
    )


@pytest.mark.usefixtures("within")
async def test_a_retry_waits_in_it(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> None:
    chosen = '[amqp]\ndelays = "plugin"\n'
    async with opened_shop(sandbox, postgres_server, rabbitmq_server, toml=chosen) as shop:
        await shop.command("topology", "apply")
        for level in ("delay.00", "delay.01"):  # the ladder's way is cut
            rabbitmq_server.api("DELETE", f"/exchanges/{shop.broker.name}/{level}")
        await shop.start("all")
        request = {
            "notificationType": "greeting",
            "channelType": "email",
            "recipients": [{"email": "defer-1@customers.example"}],
            "subject": "Hello",
            "body": "World",
        }
        answer = await shop.call("POST", "/api/notifications", request)
        await shop.status(answer.id, "completed")
        assert [line.outcome for line in shop.calls()] == ["deferred", "accepted"]


async def test_while_the_broker_is_away_nothing_is_known_of_it() -> None:
    link = BrokerConnection([], name="never opened")
    await require(link)
