"""Real processes on machines whose clocks are wrong: nobody's mail is early, late, or given up."""

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import aiohttp
import pytest

from domain.kernel.ids import time_of
from tests.support import wrong_clock
from tests.support.broker import RabbitServer
from tests.support.eventually import eventually
from tests.support.postgres import PostgresServer
from tests.support.sandbox import Sandbox, free_port
from tests.support.shop import Shop, opened_shop

MINUTES = 60
BEHIND, AHEAD = -20 * MINUTES, 10 * MINUTES


@pytest.fixture
async def shop(
    sandbox: Sandbox, postgres_server: PostgresServer, rabbitmq_server: RabbitServer
) -> AsyncIterator[Shop]:
    async with opened_shop(sandbox, postgres_server, rabbitmq_server) as shop:
        yield shop


async def start(shop: Shop, role: str, ahead: int) -> None:
    """A process of its own, whose machine's clock is so many seconds ahead."""
    port = str(free_port())
    at = "POSTHORN_HTTP__PORT" if role == "api" else "POSTHORN_HTTP__METRICS_PORT"
    env = {at: port, wrong_clock.AHEAD: str(ahead)}
    child = shop.child(role, env=env, module="tests.support.wrong_clock")
    shop.urls[role] = f"http://127.0.0.1:{port}"
    child.start()
    await child.ready(f"{shop.urls[role]}/readyz", timeout=60)


async def skew(shop: Shop, role: str) -> float | None:
    """As the process measured it."""
    async with aiohttp.ClientSession() as session, session.get(f"{shop.urls[role]}/metrics") as answer:
        found = re.search(r"^posthorn_clock_skew_seconds (\S+)$", await answer.text(), re.MULTILINE)
        return float(found[1]) if found else None


async def test_clocks_that_are_minutes_apart_change_nothing_and_are_shown(shop: Shop) -> None:
    await start(shop, "api", BEHIND)
    await start(shop, "worker", AHEAD)
    request = {
        "notificationType": "code",
        "class": "otp",
        "priority": "critical",
        "channelType": "email",
        "subject": "Your code",
        "body": "123456",
    }
    asked = datetime.now(UTC)

    ids: list[UUID] = []
    for address in ("ada@shop.test", "defer-1@shop.test", "throttle-2@shop.test"):
        answer = await shop.call("POST", "/api/notifications", request | {"recipients": [{"email": address}]})
        ids.append(answer.id)

    for id_ in ids:
        shown = await shop.status(id_, "completed", "failed", timeout=30)
        assert shown["status"] == "completed", await shop.listed(id_, "history")
        assert abs(datetime.fromisoformat(shown["createdAt"]) - asked) < timedelta(seconds=30)
        assert abs(time_of(id_) - asked) < timedelta(seconds=30)
    attempts = await shop.fetch("SELECT attempt FROM notification_deliveries ORDER BY attempt")
    assert [row["attempt"] for row in attempts] == [1, 2, 3]
    for role, ahead in (("api", BEHIND), ("worker", AHEAD)):
        await eventually(lambda role=role: skew(shop, role), timeout=10)
        assert await skew(shop, role) == pytest.approx(ahead, abs=1)
        said = await shop.readiness(role)
        side = "ahead of" if ahead > 0 else "behind"
        assert (said.status, said.body["ready"]) == (200, True)
        assert re.fullmatch(rf"[\d.]+ s {side} the database's, which decides", said.body["parts"]["clock"])
    logged = [line for child in shop.children for line in child.log_lines()]
    skews = [line["seconds"] for line in logged if line["event"] == "clock.skewed"]
    assert sorted(skews) == [pytest.approx(BEHIND, abs=1), pytest.approx(AHEAD, abs=1)]
