"""One spelling for each thing, and a clear word for what is none."""

import json
from typing import Any
from urllib.parse import quote
from uuid import UUID

import httpx
import pytest
from litestar.routes import HTTPRoute

from entrypoints.http.app import build_app
from tests.api.test_access import concrete
from tests.api.world import INLINE, World, errors_of

URL = "/api/notifications"
ROUTES = [route for route in build_app().routes if isinstance(route, HTTPRoute)]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path_format)
async def test_options_tells_the_methods_there_are(client: httpx.AsyncClient, route: HTTPRoute) -> None:
    answer = await client.options(concrete(route.path_format))
    assert answer.status_code == 204
    assert answer.headers["allow"].split(", ") == sorted(route.methods)


def spellings(id_: UUID) -> list[str]:
    arabic = str(id_).replace(str(id_)[0], "\N{ARABIC-INDIC DIGIT ZERO}", 1)
    loose = [f"urn:uuid:{id_}", f"{{{id_}}}", id_.hex, f"\n{id_.hex}", f"{id_}\n", f" {id_}", arabic]
    return [*loose, str(id_).replace("-", "_")]


@pytest.mark.parametrize("below", ["", "/deliveries", "/history"])
async def test_a_notification_has_one_address(world: World, below: str) -> None:
    id_ = await world.notification(recipients=["1", "2"])
    path = f"{URL}/{id_}{below}"
    assert (await world.client.get(path, params={"limit": 1} if below else None)).status_code == 200
    for spelling in spellings(id_):
        path = f"{URL}/{quote(spelling)}{below}"
        assert errors_of(await world.client.get(path), 404) == {}, spelling


@pytest.mark.parametrize(
    "version", ["0", "-1", "+1", "01", "1_0", "%201", "1%0A", "%D9%A1", "9" * 5_000, "1e0"]
)
async def test_a_version_has_one_spelling(world: World, version: str) -> None:
    await world.template()
    at = "/api/templates/order_confirmation_email/versions"
    assert (await world.client.get(f"{at}/1")).status_code == 200
    assert errors_of(await world.client.get(f"{at}/{version}"), 404) == {}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("metadata.%00=1", {"metadata.\0": "nul"}),
        ("metadata.a%00b:json=1", {"metadata.a\0b:json": "nul"}),
        ("metadata.a:json=%22%5Cu0000%22", {"metadata.a:json": "nul"}),
        ("metadata.a:json=%22%5Cud800%22", {"metadata.a:json": "bad_value"}),
        ("%00=1", {"\0": "nul"}),
    ],
)
async def test_what_no_value_may_hold_no_name_may(
    client: httpx.AsyncClient, query: str, expected: dict[str, str]
) -> None:
    assert errors_of(await client.get(f"{URL}?{query}")) == expected


@pytest.mark.parametrize("number", ["0.5", "-1", "1e9", "1700000000"])
async def test_a_number_is_no_time(client: httpx.AsyncClient, number: str) -> None:
    answer = await client.get(f"{URL}?created_after={number}")
    assert errors_of(answer) == {"created_after": "bad_type"} or errors_of(answer) == {
        "created_after": "bad_value"
    }


@pytest.mark.parametrize("null", ["null", "NULL"])
async def test_null_is_no_filter(client: httpx.AsyncClient, null: str) -> None:
    query = f"created_after={null}&created_before={null}"
    assert errors_of(await client.get(f"{URL}?{query}")) == dict.fromkeys(
        ("created_after", "created_before"), "bad_type"
    )
    assert errors_of(await client.get(f"/api/attempts?held={null}")) == {"held": "bad_type"}
    assert (await client.get(f"/api/dead-letters?provider={null}")).status_code == 200  # one may be called so


async def test_what_is_quoted_of_a_value_can_be_written(client: httpx.AsyncClient) -> None:
    body = json.dumps(INLINE)[:-1] + r',"priority":"\ud800"}'
    assert errors_of(await client.post(URL, content=body)) == {"/priority": "surrogate"}


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "Application/JSON ; charset=utf-8", "application/cloudevents+json", ""],
)
async def test_json_by_its_own_word_is_read(client: httpx.AsyncClient, media_type: str) -> None:
    headers = {"Content-Type": media_type}
    assert (await client.post(URL, content=json.dumps(INLINE), headers=headers)).status_code == 202


@pytest.mark.parametrize("path", [URL, f"{URL}/batch", "/api/templates", "/api/dead-letters:replay"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "application/jsonp"},
        {"Content-Type": "text/x+json"},
        {"Content-Type": ";"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
    ids=lambda headers: " ".join(headers.values()),
)
async def test_what_is_not_json_by_its_own_word_is_not_read(
    client: httpx.AsyncClient, path: str, headers: dict[str, str]
) -> None:
    answer = await client.post(path, content=json.dumps(INLINE), headers=headers)
    if headers["Content-Type"] == ";":  # it says nothing
        assert answer.status_code != 415
        return
    assert errors_of(answer, 415) == {}
    assert answer.headers.get("accept-encoding") == ("identity" if "Content-Encoding" in headers else None)


KEY = "schlüssel-№1"


async def asked(client: httpx.AsyncClient, key: bytes, **changes: Any) -> httpx.Response:
    headers = [(b"Idempotency-Key", key)]
    return await client.post(URL, json={**INLINE, **changes}, headers=headers)


async def test_a_key_beyond_ascii_is_the_same_in_header_and_body(client: httpx.AsyncClient) -> None:
    first = await asked(client, KEY.encode(), idempotencyKey=KEY)
    assert first.status_code == 202, first.text
    for again in (
        await asked(client, KEY.encode()),
        await client.post(URL, json={**INLINE, "idempotencyKey": KEY}),
    ):
        assert again.json()["id"] == first.json()["id"]


async def test_a_key_in_iso_8859_1_is_the_same_too(client: httpx.AsyncClient) -> None:
    first = await asked(client, "schlüssel".encode("latin-1"), idempotencyKey="schlüssel")
    assert first.status_code == 202, first.text


async def test_two_keys_are_not_one(client: httpx.AsyncClient) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")]
    assert errors_of(await client.post(URL, json=INLINE, headers=headers)) == {"Idempotency-Key": "ambiguous"}
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    assert (await client.post(URL, json=INLINE, headers=headers)).status_code == 202


async def test_two_api_keys_are_none(world: World) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(world.app), base_url="http://x") as client:
        headers = [("Authorization", f"Bearer {key}") for key in (world.live_key, world.test_key)]
        assert errors_of(await client.get("/api/channels", headers=headers), 401) == {}
