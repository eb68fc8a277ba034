"""POST /api/notifications/batch: each item on its own, in order."""

import json
from typing import Any

import httpx
import pytest

from domain.kernel.errors import StoreUnavailable
from entrypoints.http.notification.examples import BATCH
from tests.api.world import INLINE, World, errors_of

URL = "/api/notifications/batch"


def batch(*items: Any) -> dict[str, Any]:
    return {"notifications": list(items)}


def statuses(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 202, answer.text
    assert [result["index"] for result in answer.json()["results"]] == list(
        range(len(answer.json()["results"]))
    )
    return [result["status"] for result in answer.json()["results"]]


async def test_the_example_of_the_contract_is_accepted(world: World) -> None:
    await world.template()
    for body in BATCH.values():
        answer = await world.client.post(URL, json=body)
        assert statuses(answer) == [202, 202]
        assert (answer.json()["accepted"], answer.json()["rejected"]) == (2, 0)


async def test_each_item_is_accepted_or_refused_on_its_own(world: World) -> None:
    answer = await world.client.post(
        URL,
        json=batch(
            INLINE,
            {**INLINE, "priority": "hgih"},
            {**INLINE, "recipients": None, "recipientId": "x" * 300},
            {**INLINE, "channelType": "pigeon"},
            INLINE,
        ),
    )
    assert statuses(answer) == [202, 422, 422, 422, 202]
    assert (answer.json()["accepted"], answer.json()["rejected"]) == (2, 3)
    results = answer.json()["results"]
    at = f"/api/notifications/{results[0]['id']}"
    assert results[0] == {
        "index": 0,
        "status": 202,
        "id": results[0]["id"],
        "links": {
            "self": at,
            "deliveries": f"{at}/deliveries",
            "history": f"{at}/history",
            "cancel": f"{at}/cancel",
        },
    }
    pointers = [result["problem"]["errors"][0]["pointer"] for result in results[1:4]]
    assert pointers == [
        "/notifications/1/priority",
        "/notifications/2/recipientId",
        "/notifications/3/channelType",
    ]
    assert {result["problem"]["trace_id"] for result in results[1:4]} == {answer.headers["x-request-id"]}
    assert len(world.rows.notifications) == 2


async def test_what_the_database_would_refuse_takes_no_neighbour_along(world: World) -> None:
    good = [json.dumps({**INLINE, "metadata": {"n": n}}) for n in range(200)]
    bad = [
        json.dumps({**INLINE, "metadata": {"n": "HERE"}}).replace('"HERE"', value)
        for value in (r'"\u0000"', r'"\ud800"', "1e999999")
    ]
    body = '{"notifications":[' + ",".join([*good[:100], *bad, *good[100:]]) + "]}"
    answer = await world.client.post(URL, content=body)
    assert statuses(answer) == [202] * 100 + [422] * 3 + [202] * 100
    codes = [result["problem"]["errors"][0] for result in answer.json()["results"][100:103]]
    assert [(code["pointer"], code["code"]) for code in codes] == [
        ("/notifications/100/metadata/n", "nul"),
        ("/notifications/101/metadata/n", "surrogate"),
        ("/notifications/102/metadata/n", "number_range"),
    ]


async def test_a_batch_tells_no_more_faults_than_one_request_and_each_items_first(world: World) -> None:
    bad = {**INLINE, **{f"unknown{n}": 1 for n in range(150)}}
    answer = await world.client.post(URL, json=batch(bad, INLINE, bad, bad))
    assert statuses(answer) == [422, 202, 422, 422]
    problems = [result["problem"] for result in answer.json()["results"] if "problem" in result]
    assert [len(problem["errors"]) for problem in problems] == [100, 1, 1]
    assert problems[1]["detail"] == "more than 100 errors: the first 1 is listed"


async def test_a_key_makes_the_whole_batch_repeatable(world: World) -> None:
    body = batch(INLINE, {**INLINE, "idempotencyKey": "own"}, INLINE)
    headers = {"Idempotency-Key": "night"}
    first = (await world.client.post(URL, json=body, headers=headers)).json()["results"]
    second = (await world.client.post(URL, json=body, headers=headers)).json()["results"]
    assert [one["id"] for one in first] == [one["id"] for one in second]
    assert len({one["id"] for one in first}) == 3
    assert [one.get("replayed", False) for one in first] == [False] * 3
    assert [one["replayed"] for one in second] == [True] * 3
    alone = await world.client.post("/api/notifications", json=INLINE, headers={"Idempotency-Key": "own"})
    assert alone.json()["id"] == first[1]["id"]
    other = {**INLINE, "body": "Nothing to do with it"}
    answer = await world.client.post("/api/notifications", json=other, headers={"Idempotency-Key": "night:0"})
    assert answer.status_code == 202, "no key that is given is one that was made"


async def test_a_key_leaves_room_for_the_items_numbers(client: httpx.AsyncClient) -> None:
    answer = await client.post(URL, json=batch(INLINE), headers={"Idempotency-Key": "x" * 251})
    assert errors_of(answer) == {"Idempotency-Key": "bad_length"}


async def test_a_reused_key_is_the_items_problem(client: httpx.AsyncClient) -> None:
    items = [{**INLINE, "idempotencyKey": "k"}, {**INLINE, "idempotencyKey": "k", "body": "Other"}]
    answer = await client.post(URL, json=batch(*items))
    assert statuses(answer) == [202, 422]
    assert answer.json()["results"][1]["problem"]["type"] == "/problems/idempotency-key-reused"


async def test_when_nothing_can_be_accepted_now_the_whole_batch_may_come_again(world: World) -> None:
    world.acceptance.failure = StoreUnavailable("away")
    await world.broker.close()
    answer = await world.client.post(URL, json=batch(INLINE, INLINE))
    assert errors_of(answer, 503) == {}
    assert "retry-after" in answer.headers


async def test_a_mixed_batch_is_answered_item_by_item_even_then(world: World) -> None:
    world.acceptance.failure = StoreUnavailable("away")
    await world.broker.close()
    answer = await world.client.post(URL, json=batch(INLINE, {**INLINE, "priority": 1}))
    assert statuses(answer) == [503, 422]


async def test_without_the_database_each_item_is_promised_on_its_own(world: World) -> None:
    world.acceptance.failure = StoreUnavailable("away")
    answer = await world.client.post(URL, json=batch(INLINE, {**INLINE, "priority": 1}, INLINE))
    assert statuses(answer) == [202, 422, 202]
    results = answer.json()["results"]
    assert [result.get("degraded") for result in results] == [True, None, True]
    world.acceptance.failure = None
    assert [end.became for end in await world.drained()] == ["committed", "committed"]
    assert {str(id_) for id_ in world.rows.notifications} == {results[0]["id"], results[2]["id"]}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"/notifications": "missing"}),
        ({"notifications": []}, {"/notifications": "bad_length"}),
        ({"notifications": {}}, {"/notifications": "bad_type"}),
        ({"notifications": [1] * 1001}, {"/notifications": "bad_length"}),
        ({"items": [], "notifications": [INLINE]}, {"/items": "unknown_field"}),
        ([INLINE], {"": "bad_type"}),
    ],
)
async def test_what_is_no_batch_is_refused_whole(
    client: httpx.AsyncClient, body: object, expected: dict[str, str]
) -> None:
    assert errors_of(await client.post(URL, json=body)) == expected


@pytest.mark.parametrize("body", [b"", b'{"notifications": [', b'{"notifications": [{"a": "\xff"}]}'])
async def test_what_is_not_json_is_malformed(client: httpx.AsyncClient, body: bytes) -> None:
    assert errors_of(await client.post(URL, content=body), 400) == {}


async def test_a_batch_has_at_most_4_mib(client: httpx.AsyncClient) -> None:
    fits = batch(*[{**INLINE, "body": "x" * 3_000}] * 1_000)
    assert statuses(await client.post(URL, json=fits)) == [202] * 1_000
    too_large = batch(*[{**INLINE, "body": "x" * 5_000}] * 1_000)
    assert errors_of(await client.post(URL, json=too_large), 413) == {}
