"""Devices of users: registered by their tokens, listed masked, handed on, removed, erased."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from domain.device.device import DEVICES_MAX
from tests.api.world import World, errors_of

IOS, ANDROID = "740f4707" * 8, "cXyz_1-2:APA91b"
ENDPOINT = "https://push.example.com/send/a%2Fb?c=d"
KEYS = {
    "p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
    "auth": "BTBZMqHH6r4Tts7J_aSIgg",
}


def at(user: str, token: str) -> str:
    return f"/api/users/{quote(user, safe='')}/devices/{quote(token, safe='')}"


async def put(client: httpx.AsyncClient, token: str, user: str = "456", **body: Any) -> httpx.Response:
    return await client.put(at(user, token), json={"platform": "android", **body})


async def devices(client: httpx.AsyncClient, user: str = "456") -> list[dict[str, Any]]:
    answer = await client.get(f"/api/users/{quote(user, safe='')}/devices")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_a_device_is_registered_and_listed_without_its_token(world: World) -> None:
    answer = await put(world.client, IOS, platform="ios", locale="de_de", appVersion="4.2.0")

    assert answer.status_code == 200, answer.text
    shown = answer.json()
    assert (shown["token"], shown["service"], shown["locale"]) == ("740f•••4707", "apns", "de-DE")
    assert await devices(world.client) == [shown]
    assert IOS not in repr(world.rows.devices)
    assert (await world.client.get("/api/users/456")).json()["id"] == "456"


@pytest.mark.parametrize("user", ["456", "a/b", "devices", "a/devices", "ü/devices/x", "100%"])
async def test_any_user_and_any_endpoint_stand_in_a_path(client: httpx.AsyncClient, user: str) -> None:
    answer = await put(client, ENDPOINT, user, platform="web", keys=KEYS)

    assert answer.status_code == 200, answer.text
    assert [row["service"] for row in await devices(client, user)] == ["web_push"]
    assert (await client.get(f"/api/users/{quote(user, safe='')}")).json()["id"] == user
    assert (await client.delete(at(user, ENDPOINT))).status_code == 204
    assert await devices(client, user) == []
    assert (await client.delete(at(user, ENDPOINT))).status_code == 204


async def test_saying_it_again_changes_nothing_but_when_it_was_seen(client: httpx.AsyncClient) -> None:
    first = (await put(client, IOS, platform="ios")).json()
    again = (await put(client, IOS.upper(), platform="ios")).json()

    assert (again["id"], again["registeredAt"]) == (first["id"], first["registeredAt"])
    assert again["lastSeen"] > first["lastSeen"]
    assert len(await devices(client)) == 1
    assert (await client.delete(at("456", IOS.upper()))).status_code == 204
    assert await devices(client) == []


async def test_a_token_belongs_to_one_user_at_a_time(client: httpx.AsyncClient) -> None:
    await put(client, ANDROID, "ada")
    await put(client, ANDROID, "bob")

    assert (await devices(client, "ada"), len(await devices(client, "bob"))) == ([], 1)
    assert (await client.delete(at("ada", ANDROID))).status_code == 204
    assert len(await devices(client, "bob")) == 1


async def test_the_longest_unseen_of_too_many_goes(client: httpx.AsyncClient) -> None:
    for n in range(DEVICES_MAX + 1):
        assert (await put(client, f"token-{n}-of-an-android-phone")).status_code == 200

    found = [row["token"] for row in await devices(client)]
    assert len(found) == DEVICES_MAX
    assert (await put(client, "token-1-of-an-android-phone")).json() in await devices(client)


async def test_devices_of_tests_are_apart(world: World) -> None:
    await put(world.client, ANDROID)
    answer = await world.client.put(at("456", ANDROID), json={"platform": "android"}, headers=world.as_test())

    assert answer.status_code == 200
    assert answer.json()["id"] not in {row["id"] for row in await devices(world.client)}
    assert len(world.rows.devices) == 2


async def test_erasing_a_user_erases_the_devices(world: World) -> None:
    await put(world.client, ANDROID)

    assert (await world.client.delete("/api/users/456")).status_code == 204

    assert world.rows.devices == {}
    assert errors_of(await world.client.get("/api/users/456/devices"), 404) == {}


@pytest.mark.parametrize(
    ("token", "body", "errors"),
    [
        (ANDROID, {"platform": "tv"}, {"/platform": "bad_value"}),
        (ANDROID, {"platform": "ios", "service": "apns"}, {"": "bad_token"}),
        (ANDROID, {"platform": "android", "service": "apns"}, {"/service": "wrong_service"}),
        (IOS, {"platform": "ios", "kind": "fid"}, {"/kind": "wrong_kind"}),
        (ANDROID, {"keys": KEYS}, {"/keys": "unwanted"}),
        (ANDROID, {"locale": "no locale"}, {"/locale": "bad_locale"}),
        ("a b", {}, {"": "bad_token"}),
        ("http://push.example.com/x", {"platform": "web", "keys": KEYS}, {"": "bad_endpoint"}),
        (ENDPOINT, {"platform": "web", "keys": KEYS | {"auth": "AAAA"}}, {"/keys/auth": "bad_key"}),
        (ENDPOINT, {"platform": "web", "keys": KEYS | {"p256dh": "AAAA"}}, {"/keys/p256dh": "bad_key"}),
        (
            ENDPOINT,
            {"platform": "web", "service": "web_push"},
            {"/keys/p256dh": "bad_key", "/keys/auth": "bad_key"},
        ),
    ],
)
async def test_what_is_wrong_with_a_device_is_said(
    world: World, token: str, body: dict[str, Any], errors: dict[str, str]
) -> None:
    assert errors_of(await put(world.client, token, **body)) == errors
    assert not world.rows.devices
    assert not world.rows.users


async def test_a_token_that_is_too_long_is_none(client: httpx.AsyncClient) -> None:
    assert errors_of(await put(client, "x" * 2_001), 404) == {}
