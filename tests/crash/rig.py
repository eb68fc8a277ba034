"""One scenario: lives of a process that end at their points, one that lives on, and rest.

Each life has errands of its own; what it left unanswered is asked again of the next.  The process does
everything (API, events, deliveries, relay), so that a kill stops all of it at once.
"""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote
from uuid import UUID

from application.intake.command import INTAKE
from domain.kernel.channel import Lane, Priority
from entrypoints.amqp.parking import PARKED
from tests.crash.load import PER_LIFE, Load
from tests.crash.points import AT, FLAW, Point
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.fault_proxy import FaultProxy
from tests.support.ground_truth import Death
from tests.support.postgres import PostgresServer
from tests.support.process import Child
from tests.support.sandbox import Sandbox, free_port
from tests.support.shop import Shop, opened_shop

TOML = """
[providers.sandbox]
kind = "sandbox"
latency = "300ms"
timeout = "500ms"

[engine]
channels = ["email"]
call_max = "1s"
lease = "11s"

[relay]
sweep = "1s"

[policies.otp]
on_unknown = "hold"

[policies.transactional]
retries = 6
"""
LANE = Lane("email", Priority.HIGH)
"""Of the messages that end as dead letters."""
WORKED = ("deliver.email.", "events.", INTAKE)
"""Queues that end empty."""
DB_URL = "POSTHORN_DB__URL"
PROMISING = ("promise", "take-promise", "alias", "ack-promise")
ACCEPTED_FIRST, PROMISED = 4, 8
"""Requests accepted before the database is away, and promised before it is back."""
POINT_MAX = 45.0
"""Seconds, the start of the process and a lease included, within which it must have come to its point."""
REST_MAX = 75.0

Attempt = tuple[UUID, int]
"""A delivery and the number of its lease."""


class NotPassed(AssertionError):
    """The process did not come to its point: nothing was tested."""


class Life(NamedTuple):
    """From a start to the kill."""

    point: Point
    load: Load
    death: Death
    in_flight: frozenset[Attempt]
    """Calls that were begun and not settled at the kill."""


@dataclass(slots=True)
class Story:
    """What happened."""

    shop: Shop
    lives: list[Life] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    """What kept it from coming to rest, or from ending well."""


@dataclass(slots=True, kw_only=True)
class Rig:
    """Shops, made one after the other, each with a database and a virtual host of its own."""

    sandbox: Sandbox
    postgres: PostgresServer
    rabbitmq: RabbitServer
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def shop(self) -> AsyncIterator[Shop]:
        """A database cannot be copied by two at a time."""
        opened = opened_shop(self.sandbox, self.postgres, self.rabbitmq, toml=TOML)
        async with self._turn:
            shop = await opened.__aenter__()
        try:
            await shop.mark()
            yield shop
        finally:
            async with self._turn:
                await opened.__aexit__(None, None, None)


async def play(
    shop: Shop, points: Sequence[Point], *, flaw: str | None = None, rest_max: float = REST_MAX
) -> Story:
    """Die at each of the points, live on, come to rest.

    Raises:
        NotPassed: or a machine is so slow that a lease ended before the next process had started.
        AssertionError: it ended otherwise.
    """
    story = Story(shop)
    port = free_port()
    shop.urls["all"] = f"http://127.0.0.1:{port}"
    env = {"POSTHORN_HTTP__PORT": str(port)}
    asking: list[asyncio.Task[None]] = []
    try:
        for number, point in enumerate(points):
            if point.where == "replay":
                await asyncio.to_thread(_move_letters, shop)
            doomed = {**env, AT: str(point)} | ({FLAW: flaw} if flaw else {})
            load = Load(shop, number)
            async with _way_to(shop, load, point) as dsn:
                child = shop.child("all", env=doomed | {DB_URL: dsn}, module="tests.crash.child")
                child.start()
                asking.append(asyncio.create_task(load.everything()))
                story.lives.append(Life(point, load, *await _killed(shop, child, point)))
        shop.deaths = [life.death for life in story.lives]
        survivor = shop.child("all", env=env)
        survivor.start()
        await _rest(story, asking, rest_max)
        if code := await survivor.terminate():
            story.troubles.append(f"who lived on ended with {code}")
    finally:
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)
    return story


@asynccontextmanager
async def _way_to(shop: Shop, load: Load, point: Point) -> AsyncIterator[str]:
    """The database, or a way to it that is barred for a while when promises are to be made."""
    if point.where not in PROMISING:
        yield shop.dsn
        return

    async def outage() -> None:
        await eventually(lambda: len(load.accepted) >= ACCEPTED_FIRST, timeout=POINT_MAX)
        proxy.bar()
        await eventually(lambda: len(load.promised) >= PROMISED, timeout=POINT_MAX)
        proxy.unbar()

    async with FaultProxy(shop.dsn) as proxy:
        passing = asyncio.create_task(outage())
        try:
            yield proxy.url
        finally:
            passing.cancel()
            await asyncio.gather(passing, return_exceptions=True)


def _move_letters(shop: Shop) -> None:
    assert shop.rabbitmq
    shop.rabbitmq.move(shop.broker.name, LANE.dead, LANE.queue)


async def _rest(story: Story, asking: Sequence["asyncio.Task[None]"], rest_max: float) -> None:
    try:
        async with asyncio.timeout(rest_max):
            await asyncio.gather(*asking)
            await story.shop.at_rest(len(story.lives) * PER_LIFE, timeout=rest_max)
            await eventually(lambda: asyncio.to_thread(_empty, story.shop), timeout=rest_max, interval=0.5)
    except TimeoutError:
        story.troubles.append(f"not at rest after {rest_max:.0f} s")
    except (AssertionError, ExceptionGroup) as error:  # a client was told what it must not be told
        story.troubles.append(f"not at rest: {error}")


def _empty(shop: Shop) -> bool:
    """Whether every message has been worked on, those in hand included, but dead and parked ones."""
    assert shop.rabbitmq
    queues = shop.rabbitmq.api("GET", f"/queues/{quote(shop.broker.name, safe='')}")
    worked = [q for q in queues if q["name"].startswith(WORKED) and not q["name"].endswith((".dlq", PARKED))]
    return all(queue.get("messages") == 0 for queue in worked)


async def _killed(shop: Shop, child: Child, point: Point) -> tuple[Death, frozenset[Attempt]]:
    try:
        code = await child.wait(timeout=POINT_MAX)
    except subprocess.TimeoutExpired:
        raise NotPassed(f"{point} was not passed within {POINT_MAX:.0f} s") from None
    at = datetime.now(UTC)
    assert (code, point.epitaph in child.log_text()) == (-9, True), (
        f"ended with {code} before {point}\n{child.log_text()[-2000:]}"
    )
    process = await shop.process(child)

    async def silent() -> bool:
        return await shop.value(_SESSIONS) == 0

    await eventually(silent)  # what it had sent off is done or undone
    rows = await shop.fetch(_IN_FLIGHT, process)
    return Death(process, at), frozenset((row["delivery_id"], row["attempt"]) for row in rows)


_SESSIONS = """
SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'posthorn'
"""
_IN_FLIGHT = "SELECT delivery_id, attempt FROM delivery_attempts WHERE worker = $1 AND outcome = 'open'"
