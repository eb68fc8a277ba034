"""The hot statements alone, without broker, sealing and rendering: what the database can carry.

python -m tests.bench.sql_rows [SECONDS]     one JSON object a line, as `tests.bench` prints them
"""

import asyncio
import itertools
import os
import random
import resource
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack
from datetime import timedelta
from uuid import uuid4

import msgspec
import psutil
import uvloop

from adapters.postgres.core.database import Database
from adapters.postgres.core.migrate import migrate
from adapters.postgres.delivery.deliveries import PostgresDeliveries
from adapters.postgres.notification.acceptance import PostgresAcceptance
from application.delivery.ports import Begin, Settlement
from application.notification.ports import NewNotification, NewUser
from application.outbox.pointers import Pointer
from domain.delivery.delivery import DeliveryStatus
from tests.bench.world import DURABLE, Result
from tests.support.accepting import IDS, notification, pack, pointers, user
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox, processes_in

BATCH = 200
DELIVERED = 250
WORKERS = 2
CUSTOMERS = 20_000
LEASE = timedelta(seconds=60)

Step = Callable[[], Awaitable[int]]


class Bench:
    """One database, and what its processes have burnt."""

    def __init__(self, server: PostgresServer, database: Database, seconds: float) -> None:
        self.server = server
        self.seconds = seconds
        self.acceptance = PostgresAcceptance(database=database, process=uuid4())
        self.deliveries = PostgresDeliveries(database=database, process=uuid4(), ids=IDS)
        self.customers = sorted((user() for _ in range(CUSTOMERS)), key=lambda p: p.id)

    async def accept(self, news: Sequence[NewNotification], users: Sequence[NewUser]) -> None:
        await self.acceptance.accept(news, users, pack)

    async def rate(self, name: str, goal: str, step: Step, **detail: object) -> None:
        """Run `step`, which returns how many it did, in every worker until time is up or it returns 0."""
        burnt, here, started = self._burnt(), resource.getrusage(resource.RUSAGE_SELF), time.monotonic()
        done = sum(await asyncio.gather(*(self._work(step, started) for _ in range(WORKERS))))
        took = time.monotonic() - started
        after = resource.getrusage(resource.RUSAGE_SELF)
        python = after.ru_utime + after.ru_stime - here.ru_utime - here.ru_stime
        emit(
            name,
            done / took,
            "1/s",
            goal,
            took_s=round(took, 1),
            postgres_cpu_us=round((self._burnt() - burnt) / done * 1e6, 1),
            python_cpu_us=round(python / done * 1e6, 1),
            **detail,
        )

    async def _work(self, step: Step, started: float) -> int:
        total = 0
        while time.monotonic() < started + self.seconds and (did := await step()):
            total += did
        return total

    def _burnt(self) -> float:
        times = (process.cpu_times() for process in processes_in(self.server.log.parent))
        return sum(t.user + t.system for t in times)


def emit(name: str, value: float, unit: str, goal: str, **detail: object) -> None:
    detail |= {
        "postgres": "fsync=on synchronous_commit=on",
        "cores": os.cpu_count(),
        "load": psutil.getloadavg()[0],
    }
    result = Result(name=name, value=round(value, 1), unit=unit, goal=goal, detail=detail)
    print(msgspec.json.encode(result).decode(), flush=True)


async def accept_single(bench: Bench) -> list[NewNotification]:
    """Batches of one-recipient notifications with keys; known customers."""
    news: list[NewNotification] = []

    async def step() -> int:
        users = random.choices(bench.customers, k=BATCH)
        batch = [notification(who, key=uuid4()) for who in users]
        known = {who.id: who for who in users}
        await bench.accept(batch, [known[id_] for id_ in sorted(known)])
        news.extend(batch)
        return BATCH

    await bench.rate("sql_accept_single", ">= 8,000", step, batch=BATCH, committers=WORKERS)
    return news


async def accept_large(bench: Bench) -> list[NewNotification]:
    """Notifications for a thousand known customers, one after the other."""
    news, took = [], []
    for first in range(0, 60_000, 1_000):
        users = bench.customers[first % CUSTOMERS :][:1_000]
        new = notification(*users)
        started = time.monotonic()
        await bench.accept([new], users)
        took.append(time.monotonic() - started)
        news.append(new)
    took.sort()
    p95 = round(took[len(took) * 95 // 100] * 1000, 1)
    emit("sql_accept_1000_recipients", took[len(took) // 2] * 1000, "ms", "< 60", p95_ms=p95)
    return news


async def deliver(bench: Bench, name: str, news: Sequence[NewNotification]) -> None:
    """Lease, begin and settle as sent."""
    batches = _batches(pointers(*news))

    async def step() -> int:
        batch = next(batches, None)
        return await _deliver(bench.deliveries, batch) if batch else 0

    await bench.rate(name, ">= 15,000", step, batch=DELIVERED, workers=WORKERS)


def _batches(wanted: list[Pointer]) -> Iterator[list[Pointer]]:
    found = iter(wanted)
    return iter(lambda: list(itertools.islice(found, DELIVERED)), [])


async def _deliver(deliveries: PostgresDeliveries, batch: list[Pointer]) -> int:
    leases = await deliveries.lease(batch, lease=LEASE)
    begins = [Begin(delivery=one.id, attempt=one.attempt, provider="sandbox") for one in leases.taken]
    await deliveries.begin(begins, cleared_at=leases.facts_at)
    settled = await deliveries.settle(
        [
            Settlement(
                delivery=one.id,
                attempt=one.attempt,
                status=DeliveryStatus.SENT,
                outcome="accepted",
                reference="sandbox-1",
                counts=True,
                latency=timedelta(milliseconds=3),
            )
            for one in leases.taken
        ]
    )
    assert len(leases.taken) == len(batch)
    assert not settled.overtaken
    return len(batch)


async def main(seconds: float) -> None:
    """All of them, on one database."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(Sandbox())
        server = PostgresServer(sandbox.folder("postgres"), durable=True, settings=DURABLE)
        server.start()
        stack.callback(server.kill)
        name = await server.create_database()
        await migrate(server.dsn(name))
        async with Database(server.dsn(name)) as database:
            bench = Bench(server, database, seconds)
            await bench.accept([], bench.customers)
            await deliver(bench, "sql_deliver_single", await accept_single(bench))
            await deliver(bench, "sql_deliver_packed", await accept_large(bench))


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(float(sys.argv[1]) if len(sys.argv) > 1 else 20))
