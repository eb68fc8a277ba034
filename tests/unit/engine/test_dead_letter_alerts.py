"""Telling operators of dead letters: once if it is heard, and again until it is."""

from collections import deque
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest

from application.alert.dead_letters import CLAIM, PAUSE_MAX, AlertDeadLetters
from domain.kernel.channel import Lane, Priority
from domain.kernel.errors import Unavailable
from entrypoints.engine.alerts import DeadLetterAlerts
from tests.contract.dead_letters import failed
from tests.contract.engine import MemoryEngine
from tests.support.clock import HandClock
from tests.support.memory.alerts import MemoryAlerts
from tests.support.memory.rows import MemoryRows
from tests.support.telemetry import RecordedTelemetry

QUIET = timedelta(minutes=1)


class Ear:
    """Implements `OperatorsHook`; deaf as often as it is told, and always to events of some channels."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.asked: list[str] = []
        self.deaf: deque[str] = deque()
        self.refuses: set[str] = set()

    async def post(self, id: str, body: bytes) -> None:  # noqa: A002  its name in the standard
        self.asked.append(id)
        event = msgspec.json.decode(body)
        if self.deaf:
            raise Unavailable(self.deaf.popleft())
        if event["data"]["channelType"] in self.refuses:
            raise Unavailable("answered 400")
        self.heard.append((id, event))


class World:
    """Dead letters, and those who tell of them."""

    def __init__(self) -> None:
        self.clock, self.telemetry, self.ear = HandClock(), RecordedTelemetry(), Ear()
        self.engine = MemoryEngine(MemoryRows(self.clock))
        self.alarm = self.another()

    def another(self, *, mute: bool = False) -> DeadLetterAlerts:
        """As in another process."""
        alerts = MemoryAlerts(rows=self.engine.rows)
        hook = None if mute else self.ear
        alert = AlertDeadLetters(alerts=alerts, hook=hook, clock=self.clock, quiet=QUIET)
        return DeadLetterAlerts(send=alert, telemetry=self.telemetry)

    async def die(self, count: int = 1, channel: str = "email", reason: str = "550 gone") -> None:
        for _ in range(count):
            await failed(self.engine, reason, lane=Lane(channel, Priority.HIGH))
            self.clock.go_on(0.01)

    def counts(self) -> list[int]:
        return [event["data"]["count"] for _, event in self.ear.heard]


@pytest.fixture
def world() -> World:
    return World()


async def test_without_dead_letters_it_says_nothing(world: World) -> None:
    await world.alarm()
    assert (world.ear.asked, world.telemetry.troubles) == ([], [])


async def test_one_event_and_one_line_for_a_group(world: World) -> None:
    await world.die(3)
    await world.die(1, "sms")
    for _ in range(5):
        await world.alarm()
        world.clock.go_on(2)

    (_, event), (_, other) = world.ear.heard
    assert event["type"] == "dead_letters.appeared"
    data = event["data"]
    assert (data["channelType"], data["provider"], data["mode"], data["count"]) == (
        "email",
        "smtp",
        "live",
        3,
    )
    assert data["links"] == {"deadLetters": f"/api/dead-letters?group={data['group']}"}
    assert other["data"]["count"] == 1
    said = world.telemetry.troubled_by("dead_letters.appeared")
    assert said[0] == {
        "group": data["group"],
        "mode": "live",
        "channel": "email",
        "provider": "smtp",
        "count": 3,
    }
    assert len(said) == 2


async def test_nothing_that_a_provider_said_is_told(world: World) -> None:
    await world.die(1, reason="550 <ada@example.com> Ada Lovelace has left")
    await world.alarm()
    assert "Ada" not in str(world.ear.heard)
    assert "Ada" not in str(world.telemetry.troubles)


async def test_a_group_that_grows_is_told_of_again_after_a_while(world: World) -> None:
    await world.die(2)
    await world.alarm()
    await world.die(4)
    await world.alarm()
    assert world.counts() == [2]
    world.clock.go_on(QUIET.total_seconds())
    await world.alarm()
    assert world.counts() == [2, 4]
    assert len({id_ for id_, _ in world.ear.heard}) == 2


async def test_a_receiver_that_fails_is_tried_again_with_growing_pauses(world: World) -> None:
    await world.die(2)
    world.ear.deaf.extend(["answered 500"] * 4)
    asked_at = []
    while not world.ear.heard:
        before = len(world.ear.asked)
        await world.alarm()
        if len(world.ear.asked) > before:
            asked_at.append(world.clock.monotonic())
        world.clock.go_on(1)

    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert len(pauses) == 4
    assert all(longer > shorter for shorter, longer in pairwise(pauses)), pauses
    assert pauses[0] <= 3
    assert world.counts() == [2]
    faults = world.telemetry.troubled_by("alert.undelivered")
    assert [fault["reason"] for fault in faults] == ["answered 500"] * 4


async def test_the_pauses_end_somewhere(world: World) -> None:
    await world.die()
    world.ear.deaf.extend(["away"] * 1000)
    for _ in range(24 * 60):
        await world.alarm()
        world.clock.go_on(60)
    most = 24 * 3600 / PAUSE_MAX.total_seconds()
    assert most * 0.9 < len(world.ear.asked) < most * 1.1


async def test_who_gets_it_twice_can_tell(world: World) -> None:
    """It had the event, perhaps, and the answer was lost."""
    await world.die(2)
    world.ear.deaf.append("no answer in 10 s")
    await world.alarm()
    world.clock.go_on(60)
    await world.alarm()
    first, second = world.ear.asked
    assert first == second
    await world.die()
    world.clock.go_on(60)
    await world.alarm()
    assert world.ear.asked[-1] != first, "what has grown is another event"


async def test_what_one_refuses_does_not_keep_others_from_being_told(world: World) -> None:
    await world.die(1, "sms")
    await world.die(1, "email")
    await world.die(1, "push")
    world.ear.refuses = {"sms"}
    await world.alarm()
    assert {event["data"]["channelType"] for _, event in world.ear.heard} <= {"email", "push"}
    await world.alarm()
    assert {event["data"]["channelType"] for _, event in world.ear.heard} == {"email", "push"}
    for _ in range(60):
        await world.alarm()
        world.clock.go_on(2)
    await world.die(1, "in_app")
    await world.alarm()
    assert world.ear.heard[-1][1]["data"]["channelType"] == "in_app", "at once"
    world.ear.refuses = set()
    world.clock.go_on(PAUSE_MAX.total_seconds())
    await world.alarm()
    assert len(world.ear.heard) == 4


async def test_who_dies_between_claim_and_delivery_is_followed_by_another(world: World) -> None:
    await world.die(2)
    dead = world.another()
    assert await dead.send.alerts.claim(quiet=QUIET, span=CLAIM) is not None

    await world.alarm()
    assert world.ear.heard == [], "somebody is telling of it"
    world.clock.go_on(CLAIM.total_seconds())
    await world.alarm()
    assert world.counts() == [2]


async def test_of_two_processes_one_tells(world: World) -> None:
    await world.die(2)
    other = world.another()
    await world.alarm()
    await other()
    assert world.counts() == [2]


async def test_without_an_address_the_log_is_told(world: World) -> None:
    await world.die(2)
    mute = world.another(mute=True)
    await mute()
    await mute()
    assert [said["count"] for said in world.telemetry.troubled_by("dead_letters.appeared")] == [2]
    assert world.telemetry.troubled_by("alert.undelivered") == []
