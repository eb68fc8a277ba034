"""The short form of `make crash-matrix`: the most telling points, several of them in turn for each shop.

What the matrix must find is planted, too: in the process, and in the books.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import NamedTuple
from urllib.parse import quote

import pytest
import pytest_asyncio

from entrypoints.amqp.parking import PARKED
from tests.crash.points import Point
from tests.crash.rig import Rig, Story, play
from tests.crash.verdict import Verdict, judge
from tests.support.broker import RabbitServer
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]

CHAINS = {
    "accepting": "inside:accept:2 before:publish:2 after:adopt before:ack-event",
    "calling": "after:begin:2 after:call:3 inside:settle:2",
    "acking": "before:ack-promise after:publish:2 half:ack",
    "ending": "inside:settle-dead before:publish-dead after:publish-later",
}
FLAWS = {
    "deletes before it publishes": ("before:publish:2", "still queued"),
    "acks before it settles": ("after:begin:2", "still sending"),
}
FLAWED_MAX = 25.0
"""Seconds: more than a lease; who is not at rest then never will be."""


class Finished(NamedTuple):
    """A story and what was thought of it."""

    story: Story
    verdict: Verdict


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runs(
    sandbox: Sandbox, postgres_server: PostgresServer, killable_rabbitmq: RabbitServer
) -> AsyncIterator[dict[str, Finished | BaseException]]:
    """All of it side by side: they share the wait for the leases."""
    rig = Rig(sandbox=sandbox, postgres=postgres_server, rabbitmq=killable_rabbitmq)
    async with AsyncExitStack() as stack:

        async def run(points: str, **how: object) -> Finished:
            shop = await stack.enter_async_context(rig.shop())
            story = await play(shop, [Point.parse(each) for each in points.split()], **how)  # type: ignore[arg-type]
            return Finished(story, await judge(story))

        running = {name: run(points) for name, points in CHAINS.items()}
        running |= {flaw: run(point, flaw=flaw, rest_max=FLAWED_MAX) for flaw, (point, _) in FLAWS.items()}
        runs = await asyncio.gather(*running.values(), return_exceptions=True)
        yield dict(zip(running, runs, strict=True))


@pytest.mark.parametrize("chain", CHAINS)
async def test_nothing_is_lost_and_nothing_doubled_in_silence(
    runs: dict[str, Finished | BaseException], chain: str
) -> None:
    verdict = _of(runs, chain).verdict
    assert verdict.violations == []
    assert [row.lost for row in verdict.rows] == [0] * len(verdict.rows)


async def test_calls_in_flight_at_a_kill_are_made_again_and_stand_as_unknown(
    runs: dict[str, Finished | BaseException],
) -> None:
    rows = _of(runs, "calling").verdict.rows
    assert sum(row.duplicated for row in rows), "no call was in flight at a kill: nothing was tested"
    assert all(row.duplicated <= row.unknown for row in rows)


@pytest.mark.parametrize("flaw", FLAWS)
async def test_a_flawed_process_is_found(runs: dict[str, Finished | BaseException], flaw: str) -> None:
    verdict = _of(runs, flaw).verdict
    assert verdict.rows[0].lost
    assert any(FLAWS[flaw][1] in words for words in verdict.violations)


async def test_a_call_after_an_unknown_one_that_should_be_held_is_found(
    runs: dict[str, Finished | BaseException],
) -> None:
    story = _of(runs, "calling").story
    held = (await story.shop.fetch(_HELD))[0]
    line = {
        "time": datetime.now(UTC).isoformat(),
        "delivery": str(held["id"]),
        "attempt": held["attempt"] + 1,
        "outcome": "accepted",
    }
    assert story.shop.ledger
    with story.shop.ledger.open("a") as ledger:
        ledger.write(json.dumps(line) + "\n")
    words = f"delivery {held['id']}: held, and called again at attempt {held['attempt'] + 1}"
    assert words in (await judge(story)).violations


async def test_a_call_in_flight_that_does_not_stand_as_unknown_is_found(
    runs: dict[str, Finished | BaseException],
) -> None:
    story = _of(runs, "calling").story
    sent = (await story.shop.fetch(_SENT))[0]
    life = story.lives[0]
    pretended = life._replace(in_flight=life.in_flight | {(sent["delivery_id"], sent["attempt"])})
    found = (await judge(Story(story.shop, [pretended, *story.lives[1:]]))).violations
    assert (
        f"delivery {sent['delivery_id']}: attempt {sent['attempt']} was in flight and stands as accepted"
        in found
    )


async def test_letters_that_are_gone_are_found(runs: dict[str, Finished | BaseException]) -> None:
    story = _of(runs, "ending").story
    for queue in ("deliver.email.high.dlq", PARKED):
        path = f"/queues/{quote(story.shop.broker.name, safe='')}/{queue}/contents"
        await asyncio.to_thread(_server(story).api, "DELETE", path)
    found = (await judge(story)).violations
    assert any("its letter is not in the dead queue" in words for words in found)
    assert "event rubbish-0: unreadable, and not parked" in found


def _of(runs: dict[str, Finished | BaseException], name: str) -> Finished:
    one = runs[name]
    if isinstance(one, BaseException):
        raise one
    return one


def _server(story: Story) -> RabbitServer:
    assert story.shop.rabbitmq
    return story.shop.rabbitmq


_HELD = """
SELECT d.id, d.attempt FROM notification_deliveries AS d JOIN notifications AS n ON n.id = d.notification_id
WHERE n.class = 'otp' AND d.status = 'unknown' LIMIT 1
"""
_SENT = "SELECT delivery_id, attempt FROM delivery_attempts WHERE outcome = 'accepted' LIMIT 1"
