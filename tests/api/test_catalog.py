"""Triggers, channels and users over REST."""

from typing import Any

import httpx
import pytest

from entrypoints.http.channel import CHANNEL
from entrypoints.http.trigger.bodies import TRIGGER
from entrypoints.http.user.bodies import USER
from tests.api.world import World, errors_of

[TRIGGER_BODY] = TRIGGER.values()
CHANNEL_BODY, _ = CHANNEL.values()
[USER_BODY] = USER.values()
TRIGGER_URL, CHANNEL_URL, USER_URL = "/api/triggers/t1", "/api/channels/email", "/api/users/lisa"


async def test_a_trigger_is_created_read_replaced_and_deleted(world: World) -> None:
    await world.template()
    made = await world.client.put(TRIGGER_URL, json=TRIGGER_BODY)
    assert made.status_code == 201
    assert made.headers["location"] == TRIGGER_URL
    assert made.headers["etag"] == '"1"'
    read = await world.client.get(TRIGGER_URL)
    assert read.json() == made.json()
    assert read.json()["to"] == {"userId": "data.userId", "email": "data.email"}
    assert read.json()["class"] == "transactional"
    assert world.rows.triggers["t1"].value.to.user_id == "data.userId"
    off = {**TRIGGER_BODY, "isEnabled": False}
    replaced = await world.client.put(TRIGGER_URL, json=off, headers={"If-Match": '"1"'})
    assert (replaced.status_code, replaced.headers["etag"]) == (200, '"2"')
    assert world.rows.triggers["t1"].value.enabled is False
    gone = await world.client.delete(TRIGGER_URL, headers={"If-Match": '"2"'})
    assert (gone.status_code, gone.content) == (204, b"")
    assert errors_of(await world.client.get(TRIGGER_URL), 404) == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"templateId": "nope"}, {"/templateId": "unknown_template"}),
        ({"to": {"userId": "nowhere.userId"}}, {"/to/userId": "bad_path"}),
        ({"to": {}}, {"/to": "no_recipient"}),
        ({"to": {"userid": "data.x"}}, {"/to/userid": "unknown_field"}),
        ({"data": "da ta"}, {"/data": "bad_path"}),
        ({"key": "{nowhere.x}"}, {"/key": "bad_path"}),
        ({"metadata": {"a": 1}}, {"/metadata/a": "bad_type"}),
        ({"metadata": {"a": "x y"}}, {"/metadata/a": "bad_path"}),
        ({"event": None}, {"/event": "bad_type"}),
    ],
)
async def test_every_error_of_a_trigger_is_told_at_its_place(
    world: World, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    await world.template()
    answer = await world.client.put(TRIGGER_URL, json={**TRIGGER_BODY, **changes})
    assert errors_of(answer) == expected


async def test_triggers_are_listed_by_page(world: World) -> None:
    await world.template()
    for name in "cab":
        await world.client.put(f"/api/triggers/{name}", json=TRIGGER_BODY)
    first = await world.client.get("/api/triggers?limit=2")
    second = await world.client.get(first.links["next"]["url"])
    assert [item["id"] for page in (first, second) for item in page.json()["items"]] == ["a", "b", "c"]


async def test_channels_come_with_the_installation(client: httpx.AsyncClient) -> None:
    items = (await client.get("/api/channels")).json()["items"]
    assert [item["channelType"] for item in items] == ["email", "in_app", "push", "sms", "webhook"]
    assert errors_of(await client.get("/api/channels/pigeon"), 404) == {}
    told = errors_of(await client.put("/api/channels/pigeon", json=CHANNEL_BODY))
    assert told == {"/addressedBy": "missing"}


async def test_a_channel_is_configured(world: World) -> None:
    read = await world.client.get(CHANNEL_URL)
    body = {"isEnabled": True, "isPaused": True, "providers": ["smtp", "sandbox"]}
    tag = {"If-Match": read.headers["etag"]}
    saved = await world.client.put(CHANNEL_URL, json=body, headers=tag)
    assert saved.status_code == 200
    assert saved.headers["etag"] != read.headers["etag"]
    shown = saved.json()
    assert {name: shown[name] for name in body} == body
    assert world.rows.channels["email"].value.paused is True
    assert errors_of(await world.client.put(CHANNEL_URL, json=body, headers=tag), 412) == {}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"providers": []}, {"/providers": "bad_length"}),
        ({"providers": ["sandbox", "pigeon"]}, {"/providers/1": "unknown_provider"}),
        ({"providers": ["smtp", "smtp"]}, {"/providers/1": "duplicate"}),
        ({"paused": True}, {"/paused": "unknown_field"}),
    ],
)
async def test_every_error_of_a_channel_is_told_at_its_place(
    client: httpx.AsyncClient, changes: dict[str, Any], expected: dict[str, str]
) -> None:
    answer = await client.put(CHANNEL_URL, json={**CHANNEL_BODY, **changes}, headers={"If-Match": "*"})
    assert errors_of(answer) == expected


async def test_a_user_is_created_read_replaced_and_erased(world: World) -> None:
    made = await world.client.put(USER_URL, json=USER_BODY)
    assert made.status_code == 201, made.text
    assert (made.headers["location"], made.headers["etag"]) == (USER_URL, '"1"')
    shown = (await world.client.get(USER_URL)).json()
    assert {name: shown[name] for name in USER_BODY} == USER_BODY
    assert (shown["id"], shown["guest"]) == ("lisa", False)
    replaced = await world.client.put(USER_URL, json={"email": "new@x.org"}, headers={"If-Match": '"1"'})
    assert (replaced.status_code, replaced.headers["etag"]) == (200, '"2"')
    assert (replaced.json()["email"], replaced.json()["phone"]) == ("new@x.org", None)
    assert (await world.client.delete(USER_URL)).status_code == 204
    assert errors_of(await world.client.get(USER_URL), 404) == {}
    assert errors_of(await world.client.delete(USER_URL), 404) == {}
    assert (await world.client.get("/api/users")).json()["items"] == []


async def test_a_user_is_stored_sealed(world: World) -> None:
    await world.client.put(USER_URL, json=USER_BODY)
    [row] = world.rows.users.values()
    assert b"lisa" not in repr(row).encode()


async def test_an_id_may_be_any_text(world: World) -> None:
    made = await world.client.put("/api/users/k%C3%B6nig%20%231", json={"email": "a@x.org"})
    assert made.headers["location"] == "/api/users/k%C3%B6nig%20%231"
    assert (await world.client.get(made.headers["location"])).json()["id"] == "könig #1"
    assert errors_of(await world.client.put("/api/users/" + "x" * 256, json={}), 404) == {}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"email": "nonsense"}, {"/email": "bad_email"}),
        ({"phone": "123", "timezone": "Mars"}, {"/phone": "bad_phone", "/timezone": "bad_timezone"}),
        ({"mail": "a@x.org"}, {"/mail": "unknown_field"}),
    ],
)
async def test_every_error_of_a_user_is_told_at_its_place(
    client: httpx.AsyncClient, body: dict[str, Any], expected: dict[str, str]
) -> None:
    assert errors_of(await client.put(USER_URL, json=body)) == expected


async def test_users_are_found_by_address_guests_too(world: World) -> None:
    await world.client.put(USER_URL, json=USER_BODY)
    await world.client.put("/api/users/bob", json={"email": "bob@example.com"})
    await world.notification(recipients=[{"email": "LISA@example.com"}])
    found = (await world.client.get("/api/users?email=Lisa@Example.com")).json()["items"]
    assert sorted((item["id"] or "", item["guest"]) for item in found) == [("", True), ("lisa", False)]
    assert (await world.client.get("/api/users?email=no@example.com")).json()["items"] == []
    assert errors_of(await world.client.get("/api/users?email=x")) == {"email": "bad_email"}


async def test_users_are_listed_by_page(world: World) -> None:
    for name in "abc":
        await world.client.put(f"/api/users/{name}", json={})
    first = await world.client.get("/api/users?limit=2")
    second = await world.client.get(first.links["next"]["url"])
    assert sorted(i["id"] for page in (first, second) for i in page.json()["items"]) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 428),
        ({"If-Match": '"7"'}, 412),
        ({"If-Match": 'W/"1"'}, 412),
        ({"If-None-Match": "*"}, 412),
        ({"If-Match": '"1"'}, 200),
        ({"If-Match": "*"}, 200),
    ],
)
@pytest.mark.parametrize(("url", "body"), [(TRIGGER_URL, TRIGGER_BODY), (USER_URL, USER_BODY)])
async def test_only_what_was_seen_is_replaced(
    world: World, url: str, body: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    await world.template()
    await world.client.put(url, json=body)
    assert (await world.client.put(url, json=body, headers=headers)).status_code == status
    if url == TRIGGER_URL and "If-None-Match" not in headers:
        deleted = await world.client.delete(
            url, headers={**headers, "If-Match": '"2"'} if status == 200 else headers
        )
        assert deleted.status_code == (204 if status == 200 else status)


@pytest.mark.parametrize(("url", "body"), [(TRIGGER_URL, TRIGGER_BODY), (USER_URL, USER_BODY)])
@pytest.mark.parametrize(
    ("headers", "status"),
    [({"If-None-Match": "*"}, 201), ({"If-Match": "*"}, 412), ({"If-Match": '"1"'}, 412)],
)
async def test_what_is_not_there_is_not_replaced(
    world: World, url: str, body: dict[str, Any], headers: dict[str, str], status: int
) -> None:
    await world.template()
    assert (await world.client.put(url, json=body, headers=headers)).status_code == status
