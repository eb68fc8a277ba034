"""Calls whose outcome nobody knows, by REST: seen, and resolved."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from application.outbox.pointers import Pointer, decode
from domain.delivery.delivery import DeliveryStatus
from entrypoints.http.attempt import RESOLVE
from tests.api.operating import ended, held, listed, walked
from tests.api.world import RECENT, World, errors_of

S = DeliveryStatus
UNKNOWN = "/api/attempts?state=unknown"
NOBODY = "0198f7a0-0000-7000-8000-000000000000"


async def resolve(world: World, id_: str, resolution: str, **headers: str) -> httpx.Response:
    return await world.client.post(
        f"/api/attempts/{id_}:resolve", json={"resolution": resolution}, headers=headers
    )


async def test_a_held_call_is_seen(world: World) -> None:
    row = await held(world)

    [attempt] = await listed(world.client, UNKNOWN)

    assert attempt["id"] == f"{row.id}.1"
    assert (UUID(attempt["deliveryId"]), attempt["number"]) == (row.id, 1)
    assert UUID(attempt["notificationId"]) == row.notification_id
    assert (attempt["notificationType"], attempt["class"]) == ("order_shipped", "transactional")
    assert (attempt["channelType"], attempt["provider"], attempt["reason"]) == ("email", "smtp", "timed out")
    assert (attempt["deliveryStatus"], attempt["held"]) == ("unknown", True)
    assert (attempt["resolution"], attempt["resolvedAt"], attempt["resolvedBy"]) == (None, None, None)


@pytest.mark.parametrize(
    ("resolution", "status"), [("sent", S.SENT), ("failed", S.FAILED), ("resend", S.QUEUED)]
)
async def test_it_is_resolved_by_whoever_finds_out(world: World, resolution: str, status: S) -> None:
    row = await held(world)
    [attempt] = await listed(world.client, UNKNOWN)
    before = set(world.rows.outbox)

    answer = await resolve(world, attempt["id"], resolution)

    assert answer.status_code == 200
    assert answer.json() == {"id": attempt["id"], "resolution": resolution, "resolvedBy": "key:live"}
    assert row.status is status
    [after] = await listed(world.client, UNKNOWN)
    assert (after["held"], after["resolution"], after["resolvedBy"]) == (False, resolution, "key:live")
    history = await listed(world.client, f"/api/notifications/{row.notification_id}/history")
    assert (history[-1]["status"], history[-1]["actor"]) == (status, "key:live")
    made = [world.rows.outbox[id_].message for id_ in set(world.rows.outbox) - before]
    pointers = [decode(message.body) for message in made]
    assert pointers == ([] if status is S.SENT else [[Pointer(row.id, row.seq)]])
    assert len(await listed(world.client, "/api/dead-letters")) == (status is S.FAILED)


async def test_a_second_answer_conflicts(world: World) -> None:
    row = await held(world)
    assert (await resolve(world, f"{row.id}.1", "sent")).status_code == 200
    assert errors_of(await resolve(world, f"{row.id}.1", "resend"), 409) == {}
    assert row.status is S.SENT


async def test_what_its_policy_sends_again_cannot_be_resolved(world: World) -> None:
    row = await ended(world, S.QUEUED, outcome="unknown", reason="timed out")
    [attempt] = await listed(world.client, UNKNOWN)
    assert (attempt["resolution"], attempt["resolvedBy"], attempt["held"]) == ("resend", None, False)
    assert errors_of(await resolve(world, f"{row.id}.1", "sent"), 409) == {}


@pytest.mark.parametrize(
    "id_", [f"{NOBODY}.1", NOBODY, "7", "7.1", f"{NOBODY}.0", f"{NOBODY}.x", f"{NOBODY}.{'9' * 30}", "%00.1"]
)
async def test_there_is_no_such_attempt(world: World, id_: str) -> None:
    assert errors_of(await resolve(world, id_, "sent"), 404) == {}


async def test_other_numbers_and_other_verbs_are_not_there(world: World) -> None:
    row = await held(world)
    assert errors_of(await resolve(world, f"{row.id}.2", "sent"), 404) == {}
    for verb in ("", ":reject", ":resolve:resolve"):
        answer = await world.client.post(f"/api/attempts/{row.id}.1{verb}", json={"resolution": "sent"})
        assert errors_of(answer, 404) == {}
    assert row.status is S.UNKNOWN


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"/resolution": "missing"}),
        ({"resolution": "lost"}, {"/resolution": "bad_value"}),
        ({"resolution": "sent", "by": "me"}, {"/by": "unknown_field"}),
    ],
)
async def test_what_is_wrong_with_a_resolution_is_told(
    world: World, body: dict[str, Any], expected: dict[str, str]
) -> None:
    row = await held(world)
    assert errors_of(await world.client.post(f"/api/attempts/{row.id}.1:resolve", json=body)) == expected


async def test_the_examples_of_the_contract_are_accepted(world: World) -> None:
    for name, body in RESOLVE.items():
        row = await held(world)
        answer = await world.client.post(f"/api/attempts/{row.id}.1:resolve", json=body)
        assert answer.status_code == 200, name


async def test_a_test_key_sees_and_resolves_test_calls_only(world: World) -> None:
    live, test = await held(world), await held(world, test=True)
    [seen] = await listed(world.client, UNKNOWN, **world.as_test())
    assert seen["id"] == f"{test.id}.1"
    assert errors_of(await resolve(world, f"{live.id}.1", "sent", **world.as_test()), 404) == {}
    assert errors_of(await resolve(world, f"{test.id}.1", "sent"), 404) == {}
    assert (await resolve(world, f"{test.id}.1", "sent", **world.as_test())).status_code == 200


async def test_lists_are_filtered_and_paged(world: World) -> None:
    rows = [await held(world) for _ in range(4)]
    sms = await held(world, channelType="sms", provider="twilio")
    await resolve(world, f"{rows[0].id}.1", "sent")
    everything = {row.id for row in rows} | {sms.id}
    for query, expected in (
        ("", everything),
        ("&held=true", everything - {rows[0].id}),
        (f"&held=false&{RECENT}", {rows[0].id}),
        (f"&resolved=true&{RECENT}", {rows[0].id}),
        (f"&channel=sms&{RECENT}", {sms.id}),
        ("&channel=sms&held=true", {sms.id}),
        (f"&created_before={RECENT.partition('=')[2]}", set()),
        ("&provider=smtp&resolved=false", everything - {rows[0].id, sms.id}),
        (f"&notification={sms.notification_id}", {sms.id}),
    ):
        found = await walked(world.client, f"{UNKNOWN}{query}&limit=2")
        assert {UUID(one["deliveryId"]) for one in found} == expected, query
        assert len(found) == len(expected)
    for query, fault in (("state=known", "state"), ("held=maybe", "held"), ("resolved=", "resolved")):
        assert set(errors_of(await world.client.get(f"/api/attempts?{query}"))) == {fault}
