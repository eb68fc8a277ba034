"""Two shops for all journeys, each with API, events consumer and worker in processes of their own.

`stage` sends to the sandbox, `postal` by SMTP.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

import msgspec
import pytest_asyncio

from tests.support.broker import RabbitServer
from tests.support.postgres import PostgresServer
from tests.support.process import Child
from tests.support.sandbox import Sandbox
from tests.support.shop import Shop, opened_shop
from tests.support.smtp import Mailbox, mailbox

QUICK = """
[providers.sandbox]
kind = "sandbox"
timeout = "200ms"

[engine]
call_max = "1s"
lease = "11s"
"""


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def stage(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> AsyncIterator[Shop]:
    """Who uses it keeps to names of their own."""
    async with opened_shop(sandbox, postgres_server, rabbitmq_server, toml=QUICK) as shop:
        await asyncio.gather(*(shop.start(role) for role in ("api", "events", "worker")))
        yield shop


BY_MAIL = """
[providers.mailer]
kind = "smtp"
host = "127.0.0.1"
port = {port}
tls = "none"
from = "The Shop <orders@shop.example>"
timeout = "1s"

[engine]
call_max = "1s"
lease = "11s"

[log]
level = "debug"
"""


class Postal(NamedTuple):
    """A shop whose e-mails really go out, and the server they go to."""

    shop: Shop
    mailbox: Mailbox
    api: Child
    events: Child
    worker: Child


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def postal(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> AsyncIterator[Postal]:
    """Set up as an operator does it: by commands and the API.  Tests run on the loop of the mailbox."""
    database = await postgres_server.create_database()
    with rabbitmq_server.fresh_vhost() as vhost:
        async with mailbox() as box:
            shop = Shop(
                sandbox=sandbox,
                dsn=postgres_server.dsn(database),
                vhost=vhost,
                rabbitmq=rabbitmq_server,
                toml=BY_MAIL.format(port=box.port),
                ledger=sandbox.folder("ledger") / "ledger.jsonl",
            )
            try:
                await asyncio.gather(shop.command("migrate"), shop.command("topology", "apply"))
                shop.key, shop.test_key = await asyncio.gather(_key(shop), _key(shop, "--test"))
                roles = await asyncio.gather(
                    shop.start("api"), shop.start("events"), shop.start("worker", "--channels", "email")
                )
                await shop.channel("email", providers=["mailer"])
                yield Postal(shop, box, *roles)
            finally:
                shop.close()
    await postgres_server.drop_database(database)


async def _key(shop: Shop, *options: str) -> str:
    said = await shop.command("key", "create", "postal", "--json", *options)
    return str(msgspec.json.decode(said)["key"])
