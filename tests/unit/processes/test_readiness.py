"""Readiness: a process says what it cannot do, and an API that gets nothing out is not ready for long."""

from dataclasses import dataclass
from datetime import timedelta

import pytest

from application.kernel.supervision import Tasks
from application.privacy.ports import KeyState
from application.provider.ports import PausedProvider
from entrypoints.http.services import Readiness
from entrypoints.processes.readiness import ReadinessCheck


@dataclass
class Stood:
    """Implements `Parts` and `Relay`."""

    database: str = "ok"
    reached: str = "ok"
    away: float = 0.0
    stuck: float = 0.0
    held: bool = True

    async def store(self) -> str:
        return self.database

    def broker(self) -> str:
        return self.reached

    def unpublished(self) -> float:
        return self.away

    def seen(self) -> bool:
        return self.held


async def said(stood: Stood, *, either: bool = True, away_max: float = 30, **more: object) -> Readiness:
    checks = {
        "tasks": Tasks(),
        "consumers": list,
        "clock": lambda: None,
        "places": lambda: None,
        "draining": lambda: False,
        "providers": dict,
        "keys": KeyState(wrong=None),
    } | more
    return await ReadinessCheck(either=either, parts=stood, relay=stood, away_max=away_max, **checks)()


AWAY = "127.0.0.1:5672: refused"


@pytest.mark.parametrize(
    ("stood", "api", "worker"),
    [
        (Stood(), True, True),
        (Stood(reached=AWAY, away=29), True, False),
        (Stood(reached=AWAY, away=31), False, False),
        (Stood(stuck=29), True, True),
        (Stood(stuck=31), False, True),
        (Stood(database="away"), True, False),
        (Stood(database="away", stuck=31), True, False),
        (Stood(database="away", reached=AWAY, away=1), False, False),
        (Stood(held=False), True, False),
    ],
)
async def test_who_is_ready(stood: Stood, api: bool, worker: bool) -> None:
    assert (await said(stood)).ready is api
    assert (await said(stood, either=False)).ready is worker


@pytest.mark.parametrize("stood", [Stood(reached=AWAY, away=9_000), Stood(stuck=9_000)])
async def test_an_api_that_may_accept_into_the_outbox_alone_stays_ready(stood: Stood) -> None:
    assert (await said(stood, away_max=0)).ready


async def test_an_api_says_since_when_nothing_gets_out() -> None:
    state = await said(Stood(reached=AWAY, away=61.2))
    assert state.parts["publishing"].startswith("nothing could be published for 61 s")
    assert state.parts["broker"] == AWAY


async def test_a_task_that_is_down_is_named_and_hinders_whoever_needs_all() -> None:
    tasks = Tasks()
    tasks.down |= {"relay": "crashed: KeyError", "presence": "returned"}
    state = await said(Stood(), either=False, tasks=tasks)
    assert not state.ready
    assert state.parts["tasks"] == "presence returned, relay crashed: KeyError"
    assert (await said(Stood(), tasks=tasks)).ready


async def test_nobody_is_ready_who_drains() -> None:
    state = await said(Stood(), draining=lambda: True)
    assert not state.ready
    assert state.parts["draining"] == "yes"


@pytest.mark.parametrize("either", [True, False])
async def test_nobody_is_ready_without_the_keys(either: bool) -> None:
    lacking = KeyState(wrong=None, missing={2: "set vault.keys.2"})
    readiness = await said(Stood(), either=either, keys=lacking)
    assert not readiness.ready
    assert readiness.parts["keys"] == "set vault.keys.2"


async def test_a_wrong_clock_is_told_and_hinders_nobody() -> None:
    state = await said(Stood(), either=False, clock=lambda: "3 s ahead")
    assert state.ready
    assert state.parts["clock"] == "3 s ahead"


async def test_a_paused_provider_is_reported_and_hinders_nobody() -> None:
    paused = {"mailer": PausedProvider("logging in: 535 5.7.8 no", 0.0, timedelta(seconds=12))}
    readiness = await said(Stood(), either=False, providers=lambda: paused)
    assert readiness.ready
    assert readiness.parts["provider mailer"] == "paused for 12 s: logging in: 535 5.7.8 no"


async def test_without_a_place_for_ids_nobody_is_ready() -> None:
    for either in (True, False):
        found = await said(Stood(), either=either, places=lambda: "no place for ids from 2026-02-01 on")
        assert (found.ready, found.parts["partitions"]) == (False, "no place for ids from 2026-02-01 on")
