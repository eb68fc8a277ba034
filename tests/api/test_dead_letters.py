"""Dead letters by REST: seen, grouped, sent again and put aside by jobs."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from domain.delivery.delivery import DeliveryStatus
from entrypoints.http.dead_letter.bodies import DISCARD, REPLAY
from tests.api.operating import ended, listed, walked
from tests.api.world import INLINE, RECENT, World, errors_of

S = DeliveryStatus
NOBODY = "0198f7a0-0000-7000-8000-000000000000"
LETTERS, GROUPS = "/api/dead-letters", "/api/dead-letters/groups"


async def finish(world: World, answer: httpx.Response) -> dict[str, Any]:
    """Run a job that was begun to its end; how it stands then."""
    assert answer.status_code == 202, answer.text
    job = answer.json()
    assert answer.headers["location"] == job["links"]["self"] == f"/api/jobs/{job['id']}"
    while await world.advance(UUID(job["id"])) is not None:
        pass
    return dict((await world.client.get(answer.headers["location"])).json())


async def test_a_dead_letter_says_what_died_and_why(world: World) -> None:
    row = await ended(world, priority="high")

    [letter] = await listed(world.client, LETTERS)

    assert UUID(letter["deliveryId"]) == row.id
    assert UUID(letter["notificationId"]) == row.notification_id
    assert (letter["notificationType"], letter["channelType"], letter["priority"]) == (
        "order_shipped",
        "email",
        "high",
    )
    assert (letter["provider"], letter["reason"], letter["attempts"]) == ("smtp", "550 no such user", 1)
    assert (letter["status"], letter["closedAt"], letter["closedBy"], letter["note"]) == ("open", *[None] * 3)


async def test_groups_are_the_causes_the_most_frequent_first(world: World) -> None:
    for user in ("ada", "bob"):
        await ended(world, reason=f"550 <{user}@example.com>: no such user")
    await ended(world, reason="554 blocked", provider="other")

    groups = await listed(world.client, GROUPS)

    assert [(g["count"], g["channelType"], g["provider"]) for g in groups] == [
        (2, "email", "smtp"),
        (1, "email", "other"),
    ]
    [one] = await listed(world.client, f"{LETTERS}?group={groups[1]['group']}")
    assert (one["reason"], one["group"]) == ("554 blocked", groups[1]["group"])


async def test_lists_are_filtered(world: World) -> None:
    row = await ended(world, channelType="sms", provider="twilio", notificationType="welcome")
    other = await ended(world)
    letter = world.rows.dead_letters[row.id, row.seq]
    letter.created_at -= timedelta(hours=1)
    between = (letter.created_at + timedelta(minutes=30)).isoformat().replace("+", "%2B")
    for query, expected in (
        ("", {row.id, other.id}),
        ("channel=sms", {row.id}),
        ("provider=smtp", {other.id}),
        ("type=welcome", {row.id}),
        (f"notification={other.notification_id}", {other.id}),
        (f"created_after={between}", {other.id}),
        (f"created_before={between}", {row.id}),
        (f"status=discarded&{RECENT}", set()),
        ("channel=sms&type=order_shipped", set()),
    ):
        found = await listed(world.client, f"{LETTERS}?{query}")
        assert {UUID(letter["deliveryId"]) for letter in found} == expected, query
        assert sum(group["count"] for group in await listed(world.client, f"{GROUPS}?{query}")) == len(found)


async def test_pages_follow_each_other_to_the_end(world: World) -> None:
    rows = [await ended(world, reason=reason) for reason in "aabcc"]
    found = await walked(world.client, f"{LETTERS}?limit=2")
    assert [UUID(letter["deliveryId"]) for letter in found] == [row.id for row in reversed(rows)]
    assert [group["count"] for group in await walked(world.client, f"{GROUPS}?limit=1")] == [2, 2, 1]


async def test_a_group_is_sent_again_by_a_job(world: World) -> None:
    rows = [await ended(world) for _ in range(5)]
    other = await ended(world, reason="554 blocked")
    group = (await listed(world.client, GROUPS))[0]["group"]
    before = world.nudges.count

    answer = await world.client.post(f"{LETTERS}:replay", json={"group": group})

    begun = answer.json()
    assert (begun["kind"], begun["status"], begun["total"], begun["done"]) == (
        "dead_letters_replay",
        "running",
        5,
        0,
    )
    assert (begun["actor"], world.nudges.count - before) == ("key:live", 1)
    job = await finish(world, answer)
    assert (job["status"], job["total"], job["done"], job["skipped"], job["error"]) == (
        ("completed", 5, 5, 0, None)
    )
    assert job["finishedAt"]
    assert [row.status for row in (*rows, other)] == [S.QUEUED] * 5 + [S.FAILED]
    history = await listed(world.client, f"/api/notifications/{rows[0].notification_id}/history")
    assert (history[-1]["reason"], history[-1]["actor"]) == ("replayed", "key:live")
    closed = await listed(world.client, f"{LETTERS}?status=replayed")
    assert {(letter["status"], letter["closedBy"]) for letter in closed} == {("replayed", "key:live")}
    assert len(closed) == 5


@pytest.mark.parametrize("verb", ["replay", "discard"])
async def test_a_dry_run_counts_and_does_nothing(world: World, verb: str) -> None:
    rows = [await ended(world) for _ in range(3)]
    body = {"all": True} | ({"reason": "x"} if verb == "discard" else {})

    answer = await world.client.post(f"{LETTERS}:{verb}?dry_run=true", json=body)

    assert (answer.status_code, answer.json()) == (200, {"count": 3})
    assert {row.status for row in rows} == {S.FAILED}
    assert await listed(world.client, "/api/jobs") == []


async def test_by_ids_by_filter_and_since_a_time(world: World) -> None:
    old, sms, last = await ended(world), await ended(world, channelType="sms"), await ended(world)
    world.rows.dead_letters[old.id, old.seq].created_at -= timedelta(hours=1)
    since = (world.rows.clock.now() - timedelta(minutes=1)).isoformat()
    for body, expected in (
        ({"deliveryIds": [str(old.id), str(sms.id)]}, 2),
        ({"deliveryIds": [str(old.notification_id)]}, 0),
        ({"since": since}, 2),
        ({"until": since}, 1),
        ({"since": since, "channelType": "email"}, 1),
        ({"notificationId": str(last.notification_id)}, 1),
        ({"provider": "smtp"}, 3),
        ({"notificationType": "welcome"}, 0),
    ):
        answer = await world.client.post(f"{LETTERS}:replay?dry_run=true", json=body)
        assert answer.json() == {"count": expected}, body
    job = await finish(world, await world.client.post(f"{LETTERS}:replay", json={"since": since}))
    assert (job["done"], old.status, sms.status, last.status) == (2, S.FAILED, S.QUEUED, S.QUEUED)


async def test_what_is_discarded_stays_failed_with_its_reason(world: World) -> None:
    row = await ended(world)
    body = {"deliveryIds": [str(row.id)], "reason": "left the shop"}

    job = await finish(world, await world.client.post(f"{LETTERS}:discard", json=body))

    assert (job["kind"], job["status"], job["note"]) == ("dead_letters_discard", "completed", "left the shop")
    assert row.status is S.FAILED
    [letter] = await listed(world.client, f"{LETTERS}?status=discarded")
    assert (letter["note"], letter["closedBy"]) == ("left the shop", "key:live")
    assert await listed(world.client, LETTERS) == []


@pytest.mark.parametrize(
    ("verb", "body", "expected"),
    [
        ("replay", {}, {"": "missing"}),
        ("replay", {"all": False}, {"": "missing"}),
        ("replay", {"all": True, "group": "0123456789abcdef"}, {"/all": "ambiguous"}),
        ("replay", {"deliveryIds": []}, {"/deliveryIds": "bad_length"}),
        ("replay", {"deliveryIds": [NOBODY] * 1001}, {"/deliveryIds": "bad_length"}),
        ("replay", {"deliveryIds": ["7"]}, {"/deliveryIds/0": "bad_format"}),
        ("replay", {"group": "none"}, {"/group": "bad_format"}),
        ("replay", {"since": "yesterday"}, {"/since": "bad_value"}),
        ("replay", {"since": "2026-01-01T00:00:00"}, {"/since": "bad_value"}),
        ("replay", {"all": True, "reason": "x"}, {"/reason": "unknown_field"}),
        ("discard", {"all": True}, {"/reason": "missing"}),
        ("discard", {"all": True, "reason": ""}, {"/reason": "bad_length"}),
        ("discard", {"reason": "x"}, {"": "missing"}),
    ],
)  # fmt: skip
async def test_what_is_wrong_with_a_selection_is_told(
    client: httpx.AsyncClient, verb: str, body: dict[str, Any], expected: dict[str, str]
) -> None:
    for dry in ("", "?dry_run=true"):
        assert errors_of(await client.post(f"{LETTERS}:{verb}{dry}", json=body)) == expected


@pytest.mark.parametrize("query", ["status=closed", "group=x", "created_after=2026-01-01", "q=1"])
async def test_what_is_wrong_with_a_filter_is_told(client: httpx.AsyncClient, query: str) -> None:
    for path in (LETTERS, GROUPS):
        assert set(errors_of(await client.get(f"{path}?{query}"))) == {query.partition("=")[0]}


async def test_the_examples_of_the_contract_are_accepted(client: httpx.AsyncClient) -> None:
    for verb, examples in (("replay", REPLAY), ("discard", DISCARD)):
        for name, body in examples.items():
            assert (await client.post(f"{LETTERS}:{verb}", json=body)).status_code == 202, name


async def test_a_test_key_sees_and_moves_test_letters_only(world: World) -> None:
    live, test = await ended(world), await ended(world, test=True)

    [letter] = await listed(world.client, LETTERS, **world.as_test())
    answer = await world.client.post(f"{LETTERS}:replay", json={"all": True}, headers=world.as_test())

    assert UUID(letter["deliveryId"]) == test.id
    job = answer.json()
    await world.advance(UUID(job["id"]))
    assert (job["total"], live.status, test.status) == (1, S.FAILED, S.QUEUED)
    for method, path in (("GET", ""), ("POST", "/cancel")):
        hidden = await world.client.request(method, f"/api/jobs/{job['id']}{path}")
        assert errors_of(hidden, 404) == {}
    assert await listed(world.client, "/api/jobs") == []
    [seen] = await listed(world.client, "/api/jobs", **world.as_test())
    assert (seen["id"], seen["actor"]) == (job["id"], "key:test")


async def test_a_job_is_stopped_between_two_chunks(world: World) -> None:
    rows = [await ended(world) for _ in range(5)]
    job = (await world.client.post(f"{LETTERS}:replay", json={"all": True})).json()
    await world.advance(UUID(job["id"]))

    stopping = await world.client.post(job["links"]["cancel"])

    assert (stopping.status_code, stopping.json()["status"], stopping.json()["done"]) == (
        200,
        "cancelling",
        2,
    )
    await world.advance(UUID(job["id"]))
    stopped = (await world.client.get(job["links"]["self"])).json()
    assert (stopped["status"], stopped["total"], stopped["done"]) == ("cancelled", 5, 2)
    assert [row.status for row in rows].count(S.FAILED) == 3
    again = await world.client.post(job["links"]["cancel"])
    assert again.json() == stopped


async def test_jobs_are_listed_newest_first(world: World) -> None:
    made = [(await world.client.post(f"{LETTERS}:replay", json={"all": True})).json()["id"] for _ in range(5)]
    assert [job["id"] for job in await walked(world.client, "/api/jobs?limit=2")] == made[::-1]


@pytest.mark.parametrize("job", ["0198f7a0-0000-7000-8000-000000000000", "7"])
async def test_there_is_no_such_job(client: httpx.AsyncClient, job: str) -> None:
    assert errors_of(await client.get(f"/api/jobs/{job}"), 404) == {}
    assert errors_of(await client.post(f"/api/jobs/{job}/cancel"), 404) == {}


async def test_what_waits_on_a_channel_is_given_up_by_an_act_of_its_own(world: World) -> None:
    for _ in range(3):
        assert (await world.client.post("/api/notifications", json=INLINE)).status_code == 202
    drop, why = "/api/channels/email/drop", {"reason": "the sale is over"}

    runs = await world.client.post(drop, json=why)
    assert runs.status_code == 409, "a channel that runs is not emptied"
    off = {"isEnabled": False, "providers": ["sandbox"]}
    await world.client.put("/api/channels/email", json=off, headers={"If-Match": "*"})
    assert errors_of(await world.client.post(drop, json={})) == {"/reason": "missing"}
    dry = await world.client.post(f"{drop}?dry_run=true", json=why)
    assert (dry.status_code, dry.json()) == (200, {"count": 3})
    assert {row.status for row in world.rows.deliveries.values()} == {S.QUEUED}

    done = await finish(world, await world.client.post(drop, json=why))
    assert (done["kind"], done["status"], done["done"]) == ("channel_drop", "completed", 3)
    assert {row.status for row in world.rows.deliveries.values()} == {S.SUPPRESSED}
    assert (await world.client.post("/api/channels/pigeon/drop", json=why)).status_code == 404
