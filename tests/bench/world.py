"""What a benchmark runs in: private durable servers, a seeded shop, processes as an operator starts them."""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
import psutil

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.endpoint import Endpoint
from domain.kernel.secret import Secret
from tests.support import shop
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.process import Child
from tests.support.rabbitmq import private_server
from tests.support.sandbox import Sandbox
from tests.support.shop import opened_shop

CONDITIONS = {
    "postgres": "fsync=on synchronous_commit=on",
    "queues": "quorum, one node",
    "processes": "one per role",
    "provider": "sandbox",
    "cores": os.cpu_count(),
    "on": "templates, encryption, attempts, history",
}
SERVERS = {"postgres": "postgres", "beam.smp": "rabbitmq"}
DURABLE = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "15min"}


Bench = Any
"""An async function of the world that gives one `Result`, or several."""


class Result(msgspec.Struct, kw_only=True):
    """One figure."""

    name: str
    value: float
    unit: str
    goal: str
    detail: dict[str, Any] = {}


def measures(*names: str) -> Callable[[Bench], Bench]:
    """Name the figures of a benchmark that has several: `--only` knows it by any of them."""

    def named(bench: Bench) -> Bench:
        bench.names = names
        return bench

    return named


@dataclass(slots=True, kw_only=True)
class World:
    """The servers of a bench run; each benchmark has a `shop` of its own in them."""

    sandbox: Sandbox
    postgres: PostgresServer
    rabbitmq: RabbitServer

    @asynccontextmanager
    async def shop(self, toml: str = "") -> AsyncIterator["Shop"]:
        """A migrated database, a virtual host with the topology, an API key, the shipped catalogue."""
        quiet = f'{toml}\n[log]\nlevel = "warning"\n'
        async with opened_shop(
            self.sandbox, self.postgres, self.rabbitmq, toml=quiet, ledger=False, kind=Shop
        ) as opened:
            yield opened


@asynccontextmanager
async def opened() -> AsyncIterator[World]:
    """Start the servers, stop them at the end."""
    with Sandbox() as sandbox:
        postgres = PostgresServer(sandbox.folder("postgres"), durable=True, settings=DURABLE)
        postgres.start()
        rabbitmq = private_server(sandbox)
        rabbitmq.start()
        yield World(sandbox=sandbox, postgres=postgres, rabbitmq=rabbitmq)
        rabbitmq.kill()
        postgres.kill()


@dataclass(slots=True, kw_only=True)
class Shop(shop.Shop):
    """One benchmark's database and virtual host."""

    async def users(self, count: int, *, name: str = "customer") -> list[str]:
        """As they are after a while: vacuumed, with statistics."""
        names = await shop.Shop.users(self, count, name=name)
        await self.execute("VACUUM ANALYZE users")
        return names

    async def post(self, session: aiohttp.ClientSession, path: str, body: Any) -> Any:
        """POST JSON to the API."""
        answer = await self.call("POST", path, body, session=session)
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {answer.body}")
        return answer.body

    async def execute(self, statement: str) -> None:
        """One statement that returns nothing."""
        await self.fetch(statement)

    def cpu(self, child: Child | None) -> dict[str, float]:
        """CPU seconds of a process (None: this one), PostgreSQL and RabbitMQ so far.

        They are steadier than time on a busy machine.
        """
        root = str(self.sandbox.root)
        used = {
            "process": _cpu(psutil.Process(child.pid if child else None)),
            "postgres": 0.0,
            "rabbitmq": 0.0,
        }
        for process in psutil.process_iter(["name", "cmdline"]):
            server = SERVERS.get(process.info["name"])
            if server and root in " ".join(process.info["cmdline"] or ()):
                used[server] += sum(map(_cpu, [process, *process.children(recursive=True)]))
        return used

    def cpu_each(self, child: Child | None, before: dict[str, float], count: int) -> dict[str, int]:
        """CPU microseconds spent on each of `count` since `before`."""
        now = self.cpu(child)
        return {name: round((now[name] - seconds) / count * 1e6) for name, seconds in before.items()}

    async def outbox_empty(self, timeout: float = 120) -> None:
        """Wait until every message has gone out."""

        async def empty() -> bool:
            return await self.value("SELECT count(*) FROM outbox") == 0

        await eventually(empty, timeout=timeout, interval=0.2)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system + times.children_user + times.children_system


@asynccontextmanager
async def linked(amqp_url: str) -> AsyncIterator[BrokerConnection]:
    """A connection to the broker."""
    link = BrokerConnection([Endpoint.parse(Secret(amqp_url))], name="bench")
    await link.open()
    try:
        yield link
    finally:
        await link.close()


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def order(name: str, number: int) -> dict[str, Any]:
    """Data of the shipped order confirmation."""
    return {"orderId": f"{name}-{number}", "total": 99.99, "currency": "EUR", "items": []}
