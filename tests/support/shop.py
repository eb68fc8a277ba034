"""A shop that uses Posthorn: a database and a virtual host of its own, roles as processes, clients.

    async with opened_shop(sandbox, postgres, rabbitmq, toml="…") as shop:
        worker = await shop.start("worker")               # a `Child`, ready
        answer = await shop.call("POST", "/api/notifications", {…}, idempotency="order-1")
        async with shop.events() as publish:
            await publish("order.created", {…})
        await shop.at_rest(2000)                          # outbox empty, no delivery open
        assert not await shop.violations()

A `Shop` holds no connection between calls, so that fixtures of any scope may make one.
"""

import asyncio
import base64
import os
import signal
from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

import aiohttp
import asyncpg
import msgspec

from adapters.postgres.core.migrate import migrate
from adapters.rabbitmq.event_publisher import RabbitEventPublisher
from adapters.rabbitmq.marker import RabbitMarker
from adapters.rabbitmq.topology import SHOP_EVENTS
from application.broker.ports import OutgoingEvent
from config.container import Container
from config.lifecycle import install_catalog, on_database
from config.load import load
from domain.kernel.channel import Mode
from domain.user.update import UserUpdate
from tests.support import ground_truth
from tests.support.broker import RabbitServer, VHost
from tests.support.eventually import eventually
from tests.support.ground_truth import Death, Line
from tests.support.postgres import PostgresServer
from tests.support.process import Child, posthorn_child
from tests.support.sandbox import Sandbox, free_port
from tests.support.topology import lay_out, links

SECRET = base64.b64encode(os.urandom(32)).decode()


class Answer(msgspec.Struct, frozen=True):
    """What the API said."""

    status: int
    body: Any
    headers: Mapping[str, str]
    """By name in any case."""

    @property
    def id(self) -> UUID:
        """Of the notification that was accepted."""
        assert self.status == 202, f"{self.status}: {self.body}"
        return UUID(self.body["id"])


@dataclass(slots=True, kw_only=True)
class Shop:
    """See the module."""

    sandbox: Sandbox
    dsn: str
    vhost: VHost | None
    """None: embedded."""
    rabbitmq: RabbitServer | None
    toml: str
    ledger: Path | None
    """Where the sandbox writes what it was asked to send."""
    key: str = ""
    test_key: str = ""
    urls: dict[str, str] = field(default_factory=dict)
    """Where each role listens."""
    children: list[Child] = field(default_factory=list)
    deaths: list[Death] = field(default_factory=list)

    @property
    def env(self) -> dict[str, str]:
        """What every process is told."""
        broker = (
            {
                "POSTHORN_AMQP__URL": self.vhost.amqp_url,
                "POSTHORN_AMQP__MANAGEMENT_URL": self.vhost.management_url,
                "POSTHORN_DB__URL": self.dsn,
            }
            if self.vhost
            else {}
        )
        truth = {"POSTHORN_SANDBOX_LEDGER": str(self.ledger)} if self.ledger else {}
        return broker | truth | {"POSTHORN_VAULT__SECRET": SECRET}

    @property
    def broker(self) -> VHost:
        """The virtual host."""
        assert self.vhost, "an embedded shop has none"
        return self.vhost

    async def prepare(self) -> None:
        """What `migrate`, `topology apply` and `key create` do, without three processes."""
        if self.vhost:
            await lay_out(self.vhost)
        async with self._container() as container:
            await install_catalog(container)
            create = container.access.create_key()
            self.key = (await create("tests", Mode.LIVE)).secret.reveal()
            self.test_key = (await create("tests", Mode.TEST)).secret.reveal()

    async def users(self, count: int, *, name: str = "customer") -> list[str]:
        """Customers with an address; their ids."""
        ids = [f"{name}-{n}" for n in range(count)]
        updates = [UserUpdate(user_id=id_, email=f"{id_}@example.com", name=f"Name of {id_}") for id_ in ids]
        async with self._container() as container:
            for start in range(0, count, 1000):
                await container.user.update_users()(updates[start : start + 1000])
        return ids

    async def start(self, role: str, *arguments: str, env: Mapping[str, str] | None = None) -> Child:
        """Start a role and wait until it is ready."""
        port = free_port()
        at = "POSTHORN_HTTP__PORT" if role in ("api", "all") else "POSTHORN_HTTP__METRICS_PORT"
        child = self.child(role, *arguments, env={at: str(port), **(env or {})})
        self.urls[role] = f"http://127.0.0.1:{port}"
        child.start()
        await child.ready(f"{self.urls[role]}/readyz", timeout=60)
        return child

    async def ready(self) -> dict[str, bool]:
        """What each role says of itself."""
        async with aiohttp.ClientSession() as session:
            said = {}
            for role, url in self.urls.items():
                async with session.get(f"{url}/readyz") as answer:
                    said[role] = answer.status == 200
            return said

    async def command(self, *arguments: str) -> str:
        """Run `posthorn ARGUMENTS` to its end; its output."""
        child = self.child(*arguments)
        child.start()
        code = await child.wait(timeout=60)
        assert code == 0, f"posthorn {' '.join(arguments)} ended with {code}\n{child.log_text()}"
        self.children.remove(child)  # what it printed is an answer, not a log
        return child.log_text()

    def child(
        self, *arguments: str, env: Mapping[str, str] | None = None, module: str = "entrypoints.cli"
    ) -> Child:
        """A process of this shop, not started yet; ends with the shop."""
        folder = self.sandbox.folder(arguments[0])
        variables = {**self.env, **(env or {})}
        child = posthorn_child(folder, *arguments, env=variables, toml=self.toml, module=module)
        self.children.append(child)
        return child

    async def again(self, child: Child, role: str) -> None:
        """Start a role that ended, with the same arguments on the same port."""
        child.start()
        await child.ready(f"{self.urls[role]}/readyz", timeout=60)

    async def kill(self, child: Child) -> None:
        """SIGKILL, noted among the deaths: what was in flight may be done again."""
        process = await self.process(child)
        child.kill9()
        self.deaths.append(Death(process, datetime.now(UTC)))

    async def kill_in_mid_call(self, child: Child) -> None:
        """The same, at a moment at which it calls the provider."""
        process = await self.process(child)
        await eventually(lambda: self.value(_CALLS, process), timeout=30, interval=0.01)
        await self.kill(child)

    async def stop_in_mid_call(self, child: Child) -> UUID:
        """SIGSTOP while calls are in flight, noted among the deaths; its id in `processes`."""
        process = await self.process(child)

        async def caught() -> None:
            assert await self.value(_CALLS, process), "no call was in flight: nothing would be tested"
            child.signal(signal.SIGSTOP)
            if not await self.value(_CALLS, process):  # it has settled meanwhile
                child.signal(signal.SIGCONT)
                raise AssertionError("no call was in flight at the stop: nothing would be tested")

        await eventually(caught, timeout=30, interval=0.01)
        self.deaths.append(Death(process, datetime.now(UTC)))
        return process

    async def process(self, child: Child) -> UUID:
        """Its id in `processes`."""
        id_ = await self.value("SELECT id FROM processes WHERE pid = $1 ORDER BY id DESC LIMIT 1", child.pid)
        assert id_ is not None, f"no process row for pid {child.pid}"
        return UUID(str(id_))

    async def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        session: aiohttp.ClientSession | None = None,
        idempotency: str | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Ask the API.

        Args:
            body: JSON to be, or bytes that are sent as they are.
            key: the API key; the live one by default.
        """
        if session is None:
            async with aiohttp.ClientSession() as own:
                return await self.call(
                    method, path, body, session=own, idempotency=idempotency, key=key, headers=headers
                )
        given = {"Authorization": f"Bearer {key or self.key}", "Content-Type": "application/json"}
        given |= {"Idempotency-Key": idempotency} if idempotency else {}
        data = body if isinstance(body, bytes | None) else msgspec.json.encode(body)
        url = (self.urls.get("api") or self.urls["all"]) + path
        async with session.request(method, url, data=data, headers={**given, **(headers or {})}) as answer:
            content = await answer.read()
            is_json = "json" in answer.content_type
            decoded = msgspec.json.decode(content) if content and is_json else content.decode()
            return Answer(answer.status, decoded, answer.headers)

    async def readiness(self, role: str) -> Answer:
        """What a role says of itself and its parts."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.urls[role]}/readyz") as answer:
            return Answer(answer.status, msgspec.json.decode(await answer.read()), answer.headers)

    async def listed(self, notification: UUID, what: str, *, key: str | None = None) -> Sequence[Any]:
        """`deliveries` or `history` of a notification, as the API shows them."""
        answer = await self.call("GET", f"/api/notifications/{notification}/{what}?limit=200", key=key)
        assert answer.status == 200, answer
        return list(answer.body["items"])

    async def status(self, notification: UUID, *expected: str, timeout: float = 20) -> Any:
        """Wait until a notification has one of these statuses; how the API shows it then."""

        async def there() -> Any:
            found = await self.call("GET", f"/api/notifications/{notification}")
            assert found.body.get("status") in expected, found.body
            return found.body

        return await eventually(there, timeout=timeout)

    async def channel(self, name: str, **changes: Any) -> None:
        """Configure a channel, as an operator does: read, change, write if nobody else has."""
        found = await self.call("GET", f"/api/channels/{name}")
        wanted = {each: found.body[each] for each in ("isEnabled", "isPaused", "providers")} | changes
        seen = {"If-Match": found.headers["ETag"]}
        answer = await self.call("PUT", f"/api/channels/{name}", wanted, headers=seen)
        assert answer.status == 200, answer

    async def mark(self) -> None:
        """Let it have run before: a broker without a mark is given everything with its first one."""
        marker = uuid4()
        async with links(self.broker) as (publishing, consuming):
            await RabbitMarker(consuming, publishing).place(marker)
        await self.fetch("INSERT INTO broker_marker (id, current_since) VALUES ($1, now())", marker)

    @asynccontextmanager
    async def events(self) -> AsyncIterator[Callable[..., Any]]:
        """A shop's service: `await publish(routing_key, body, **fields of Event)`."""
        async with links(self.broker) as (publishing, _):
            publisher = RabbitEventPublisher(publishing, SHOP_EVENTS)

            async def publish(routing_key: str, body: Any, **fields: Any) -> None:
                data = body if isinstance(body, bytes) else msgspec.json.encode(body)
                given = {"content_type": "application/json"} | fields
                await publisher.publish(OutgoingEvent(routing_key=routing_key, body=data, **given))

            yield publish

    async def fetch(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows."""
        connection = await asyncpg.connect(self.dsn)
        try:
            return list(await connection.fetch(query, *arguments))
        finally:
            await connection.close()

    async def value(self, query: str, *arguments: Any) -> Any:
        """The first value of the first row, or None."""
        rows = await self.fetch(query, *arguments)
        return rows[0][0] if rows else None

    async def at_rest(self, deliveries: int, *, timeout: float = 90) -> None:
        """Wait until there are so many deliveries, none of them open, and the outbox is empty."""

        async def resting() -> None:
            row = (await self.fetch(_STANDS))[0]
            at_rest = row["total"] >= deliveries and not row["open"] and not row["outbox"]
            assert at_rest, dict(row)

        await eventually(resting, timeout=timeout, interval=0.2)

    def calls(self) -> list[Line]:
        """What the provider saw so far."""
        assert self.ledger, "this shop keeps no ledger"
        return ground_truth.read_ledger(self.ledger)

    async def called(self, calls: int, *, timeout: float = 60) -> None:
        """Wait until the provider has seen so many calls."""

        await eventually(lambda: len(self.calls()) >= calls, timeout=timeout, interval=0.05)

    async def accepted(self, notifications: int, *, timeout: float = 60) -> None:
        """Wait until so many notifications are committed."""

        async def enough() -> bool:
            return await self.value("SELECT count(*) FROM notifications") >= notifications

        await eventually(enough, timeout=timeout)

    async def sent(self) -> int:
        """How many deliveries were sent."""
        return int(await self.value("SELECT count(*) FROM notification_deliveries WHERE status = 'sent'"))

    async def unknown_of(self, death: Death) -> int:
        """How many attempts stand as unknown because of it."""
        query = "SELECT count(*) FROM delivery_attempts WHERE outcome = 'unknown' AND worker = $1"
        return int(await self.value(query, death.process))

    async def cut_off(self, child: Child) -> None:
        """Close its connections at the broker, as happens when its heartbeats stay away."""
        assert self.rabbitmq
        server, pid = self.rabbitmq, child.pid
        names = await eventually(lambda: asyncio.to_thread(server.connections_of, pid))
        await asyncio.to_thread(server.close_connections, names)

    async def violations(self, accepted: Collection[UUID] = (), *, store_lost: bool = False) -> list[str]:
        """See `ground_truth`; the first ones, which are enough to look into."""
        found = await ground_truth.violations(
            self.dsn, self.calls(), accepted=accepted, deaths=self.deaths, store_lost=store_lost
        )
        return found[:20]

    def close(self) -> None:
        """End all processes."""
        for child in self.children:
            child.close()

    @asynccontextmanager
    async def _container(self) -> AsyncIterator[Container]:
        async with on_database(load(self.env | {"POSTHORN_DB__URL": self.dsn}).settings) as container:
            yield container


_CALLS = "SELECT count(*) FROM delivery_attempts WHERE worker = $1 AND outcome = 'open'"

_STANDS = """
SELECT
    count(*) AS total,
    count(*) FILTER (WHERE status IN ('pending', 'queued', 'sending')) AS open,
    (SELECT count(*) FROM outbox) AS outbox
FROM notification_deliveries
"""


S = TypeVar("S", bound=Shop)


@asynccontextmanager
async def opened_shop(
    sandbox: Sandbox,
    postgres: PostgresServer,
    rabbitmq: RabbitServer,
    *,
    toml: str = "",
    ledger: bool = True,
    kind: type[S] = Shop,  # type: ignore[assignment]  the default of a type variable
) -> AsyncIterator[S]:
    """A migrated database with the shipped catalogue, a laid out virtual host, API keys."""
    with rabbitmq.fresh_vhost() as vhost:
        async with postgres.fresh_database(migrate) as dsn:
            shop = kind(
                sandbox=sandbox,
                dsn=dsn,
                vhost=vhost,
                rabbitmq=rabbitmq,
                toml=toml,
                ledger=sandbox.folder("ledger", in_memory=True) / "ledger.jsonl" if ledger else None,
            )
            try:
                await shop.prepare()
                yield shop
            finally:
                shop.close()
