"""What rendering comes to: sent when it is late, given up with its reason when it cannot be done."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.delivery.delivery import DeliveryStatus
from domain.delivery.policy import DEFAULT_POLICIES
from domain.kernel.channel import NotificationClass
from domain.kernel.errors import Overloaded, RenderingTimedOut
from domain.template.template import Rendered, Template
from entrypoints.engine.lane.actor import LaneActor
from tests.support.eventually import eventually
from tests.support.virtual_time import passing, run
from tests.unit.engine.harness import CLOCK, EMAIL, World

TEMPLATE = Template(id="slow", version=1, name="Slow", channel="email", body="{{ name }}")
RETRIES = DEFAULT_POLICIES[NotificationClass.TRANSACTIONAL].retries


class Renderer:
    """As `Renderer`: `how` is asked before each."""

    def __init__(self, how: Callable[[], Any]) -> None:
        self.how, self.asked = how, 0

    async def render(self, template: Template, data: Any) -> Rendered:
        self.asked += 1
        answer = self.how()
        if asyncio.iscoroutine(answer):
            await answer
        return Rendered(body="Hello")


async def rendered(how: Callable[[], Any], *, seconds: float, lease: float = 45) -> tuple[World, Renderer]:
    """One delivery with a template and three without, for so long."""
    world, renderer = World(lease=timedelta(seconds=lease)), Renderer(how)
    world.engine = replace(world.engine, call=replace(world.engine.call, renderer=renderer))
    world.lane = LaneActor(lane=EMAIL, services=world.engine)
    world.rows.templates["slow"], world.rows.active_templates["slow"] = [TEMPLATE], 1
    ids = await world.accept(4, packed=True)
    slow = world.rows.notifications[world.rows.deliveries[ids[0]].notification_id]
    slow.template_id, slow.template_version = "slow", 1
    world.start()
    await eventually(lambda: world.statuses(ids[1:]) == {DeliveryStatus.SENT})
    await passing(seconds)
    await world.stop()
    world.slow = world.rows.deliveries[ids[0]]
    return world, renderer


def test_who_is_rendered_late_is_cleared_again_and_sent():
    world, renderer = run(lambda _: rendered(lambda: passing(1.5), seconds=5))
    assert (world.slow.status, renderer.asked) == (DeliveryStatus.SENT, 1)
    [call] = world.rows.attempts[world.slow.id].values()
    assert (call.outcome, call.settled_at - call.cleared_at < timedelta(seconds=1)) == ("accepted", True)


def late() -> None:
    raise RenderingTimedOut("stopped after 1 s")


def broken() -> None:
    raise LookupError("a bug")


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (late, "gave up: cannot be rendered: stopped after 1 s"),
        (broken, "gave up: cannot be rendered: LookupError"),
        (lambda: passing(20), "gave up: takes longer to prepare than its lease"),
    ],
)
def test_what_cannot_be_rendered_is_given_up_after_its_retries(how, reason):
    world, renderer = run(lambda _: rendered(how, seconds=300, lease=12))
    assert (world.slow.status, world.slow.reason) == (DeliveryStatus.FAILED, reason)
    assert renderer.asked == world.slow.attempts_counted == 1 + RETRIES
    [dead_letter] = world.rows.dead_letters.values()
    assert dead_letter.reason == reason


def test_who_finds_the_renderer_busy_asks_less_and_less_often_and_spends_nothing():
    def busy() -> None:
        if CLOCK.monotonic() < 600:
            raise Overloaded("200 wait")

    world, renderer = run(lambda _: rendered(busy, seconds=800))
    assert (world.slow.status, world.slow.attempts_counted) == (DeliveryStatus.SENT, 1)
    assert renderer.asked < 35
    outcomes = Counter(call.outcome for call in world.rows.attempts[world.slow.id].values())
    assert outcomes == {"not_called": renderer.asked - 1, "accepted": 1}
