"""A message without a key is not an erased user."""

import asyncio
from collections import Counter
from dataclasses import replace

import msgspec
import pytest

from application.provider.ports import OutboundMessage
from domain.delivery.delivery import DeliveryStatus
from domain.delivery.policy import DEFAULT_POLICIES, OnUnknown
from entrypoints.engine.key_watch import KeyWatch
from entrypoints.engine.lane.actor import LaneActor
from tests.support.eventually import eventually, steadily
from tests.support.telemetry import RecordedTelemetry
from tests.unit.engine.harness import EMAIL, World

LOST = "data is sealed under another key"


def statuses(world: World) -> set[DeliveryStatus]:
    return {row.status for row in world.rows.deliveries.values()}


@pytest.mark.parametrize("lost", ["before", "meanwhile"])
async def test_a_lane_without_the_key_rests_and_loses_nothing(lost: str) -> None:
    world = World()
    if lost == "before":
        world.keys.wrong = LOST
        ids = await world.accept(40, packed=True)
        world.start()
    else:
        world.start()
        await world.accept(1)
        await eventually(lambda: len(world.sent) == 1)
        world.keys.missing = {}
        world.keys.wrong = LOST
        ids = await world.accept(40, packed=True)
    await eventually(lambda: LOST in {each["reason"] for each in world.telemetry.troubled_by("lane.pauses")})
    await steadily(lambda: not set(ids) & set(world.sent), seconds=30)
    assert statuses(world) <= {DeliveryStatus.QUEUED, DeliveryStatus.SENT}
    world.keys.wrong = None
    await eventually(lambda: world.all_sent(ids))
    await world.stop()
    assert {Counter(world.sent)[id_] for id_ in ids} == {1}
    assert all(
        row.attempts_counted == 0 or row.status is DeliveryStatus.SENT
        for row in world.rows.deliveries.values()
    )


@pytest.mark.parametrize("changed", [False, True])
async def test_what_must_not_be_sent_twice_is_held_without_the_key_too(changed: bool) -> None:
    """Its worker has died in mid-call; who finds that cannot open the user's data."""
    world = World()
    hold = {
        klass: msgspec.structs.replace(policy, on_unknown=OnUnknown.HOLD)
        for klass, policy in DEFAULT_POLICIES.items()
    }
    world.engine = replace(world.engine, begin=replace(world.engine.begin, policies=hold))
    world.lane = LaneActor(lane=EMAIL, services=world.engine)
    calls = []

    async def silent(message: OutboundMessage) -> None:
        calls.append(message.delivery)
        await asyncio.Event().wait()

    world.answer = silent
    [id_] = await world.accept()
    row = world.rows.deliveries[id_]
    world.start()
    await eventually(lambda: calls == [id_])
    await world.die()
    world.pass_time()
    if changed:
        who = world.rows.users[row.user_id]
        world.rows.users[row.user_id] = msgspec.structs.replace(who, data_key=b"\x01" + bytes(60))
    else:
        world.deliveries.fault["lease"] = lambda _: setattr(world.keys, "wrong", LOST)
    world.start()
    await eventually(lambda: row.status is not DeliveryStatus.SENDING)
    world.deliveries.fault.clear()
    world.keys.wrong = None
    await steadily(lambda: calls == [id_], seconds=30)
    await world.stop()
    assert (row.status, row.reason) == (DeliveryStatus.UNKNOWN, "worker lost")


async def test_an_erased_person_is_one_without_any_key() -> None:
    world = World()
    fine, erased, broken = [(await world.accept())[0] for _ in range(3)]
    for id_, key in ((erased, None), (broken, b"\x01" + bytes(60))):
        who = world.rows.deliveries[id_].user_id
        world.rows.users[who] = msgspec.structs.replace(world.rows.users[who], data_key=key)
    world.start()
    row = world.rows.deliveries
    await eventually(lambda: row[broken].status is DeliveryStatus.FAILED)
    await eventually(lambda: world.all_sent([fine]))
    await world.stop()
    assert (row[erased].status, row[erased].reason) == (DeliveryStatus.SUPPRESSED, "erased")
    assert row[broken].reason == (
        "the user's data cannot be opened: sealed under another key or context, or changed"
    )
    assert broken in {delivery for delivery, _ in world.rows.dead_letters}


async def test_what_is_missing_is_said_once_and_so_is_its_return() -> None:
    telemetry, world = RecordedTelemetry(), World()

    async def check():
        return world.keys

    watch = KeyWatch(check=check, telemetry=telemetry)
    await watch()
    assert telemetry.troubles == []
    world.keys.missing = {2: "set vault.keys.2"}
    await watch()
    await watch()
    assert [event for event, _ in telemetry.troubles] == ["keys.unavailable"]
    world.keys.missing = {}
    await watch()
    await watch()
    assert [event for event, _ in telemetry.wides if event == "keys.available"] == ["keys.available"]
