"""Requests while the database is away: promised on the broker, found afterwards whatever came of them."""

import pytest

from domain.kernel.errors import StoreUnavailable
from tests.api.world import INLINE, TEMPLATE, World, errors_of

AWAY = StoreUnavailable("away")
TEMPLATED = {
    "notificationType": "order_confirmation",
    "templateId": TEMPLATE["id"],
    "recipientId": "456",
    "data": {"orderId": "1", "total": 2},
}


async def promised(world: World, key: str | None = None, **changes: object) -> str:
    """Ask for a notification without a database, and return the id that is promised."""
    world.acceptance.failure = AWAY
    headers = {"Idempotency-Key": key} if key else {}
    answer = await world.client.post("/api/notifications", json={**INLINE, **changes}, headers=headers)
    world.acceptance.failure = None
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


async def shown(world: World, id_: str, what: str = "") -> dict[str, object]:
    answer = await world.client.get(f"/api/notifications/{id_}{what}")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def test_the_answer_is_the_usual_one_and_says_that_it_is_degraded(world: World) -> None:
    usual = (await world.client.post("/api/notifications", json=INLINE)).json()
    world.acceptance.failure = AWAY
    answer = await world.client.post("/api/notifications", json=INLINE)
    assert answer.status_code == 202
    body = answer.json()
    assert body.pop("degraded") is True
    at = f"/api/notifications/{body['id']}"
    assert answer.headers["location"] == body["links"]["self"] == at
    assert (body.keys(), body["status"]) == (usual.keys(), "queued")
    assert "degraded" not in usual


async def test_a_promise_is_found_once_it_is_kept(world: World) -> None:
    id_ = await promised(world, "k")
    missing = await world.client.get(f"/api/notifications/{id_}")
    assert errors_of(missing, 404) == {}
    assert [end.became for end in await world.drained()] == ["committed"]
    found = await shown(world, id_)
    assert (found["id"], found["status"], found["reason"]) == (id_, "queued", None)
    again = await world.client.post("/api/notifications", json=INLINE, headers={"Idempotency-Key": "k"})
    assert again.json()["id"] == id_
    assert again.headers["idempotency-replayed"] == "true"


async def test_of_two_promises_of_one_key_the_second_is_another_name_of_the_first(world: World) -> None:
    first, second = await promised(world, "k"), await promised(world, "k")
    assert first != second
    assert [end.became for end in await world.drained()] == ["committed", "absorbed"]
    assert (await shown(world, second))["id"] == first
    [delivery] = (await shown(world, second, "/deliveries"))["items"]
    assert delivery["notificationId"] == first
    [move] = (await shown(world, second, "/history"))["items"]
    assert move["deliveryId"] == delivery["id"]
    cancelled = await world.client.post(f"/api/notifications/{second}/cancel")
    assert cancelled.json() == {"cancelled": 1, "alreadySent": 0, "inFlight": 0}
    assert (await shown(world, first))["status"] == "cancelled"
    assert len(world.rows.notifications) == 1


async def test_another_name_is_known_to_keys_of_its_mode_alone(world: World) -> None:
    await promised(world, "k")
    alias = await promised(world, "k")
    await world.drained()
    for method, path in (("GET", ""), ("GET", "/deliveries"), ("GET", "/history"), ("POST", "/cancel")):
        answer = await world.client.request(
            method, f"/api/notifications/{alias}{path}", headers=world.as_test()
        )
        assert errors_of(answer, 404) == {}


async def test_a_promise_that_cannot_be_kept_says_why(world: World) -> None:
    await world.template()
    id_ = await promised(world, **TEMPLATED, recipients=None, channelType=None, subject=None, body=None)
    off = await world.client.post(f"/api/templates/{TEMPLATE['id']}/deactivate", headers={"If-Match": "*"})
    assert off.status_code == 200, off.text
    assert [end.became for end in await world.drained()] == ["failed"]
    found = await shown(world, id_)
    assert (found["status"], found["channelType"]) == ("failed", "email")
    assert found["reason"] == f"/templateId: no active template '{TEMPLATE['id']}'"
    assert set(found["counts"].values()) == {0}
    assert (await shown(world, id_, "/deliveries"))["items"] == []
    assert (await shown(world, id_, "/history"))["items"] == []


async def test_a_promise_whose_key_belongs_to_another_command_says_so(world: World) -> None:
    first = await promised(world, "k")
    other = await promised(world, "k", body="Other words")
    assert [end.became for end in await world.drained()] == ["committed", "failed"]
    found = await shown(world, other)
    assert (found["status"], found["reason"]) == (
        "failed",
        f"the idempotency key belongs to notification {first}",
    )


@pytest.mark.parametrize("change", [{"priority": "hgih"}, {"recipients": [{"email": "nonsense"}]}])
async def test_what_is_wrong_is_refused_without_a_database_too(world: World, change: object) -> None:
    world.acceptance.failure = AWAY
    answer = await world.client.post("/api/notifications", json={**INLINE, **change})
    assert answer.status_code == 422
