"""Nobody gets under /api without a key that counts."""

from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from litestar.routes import HTTPRoute

from application.access.revoke_key import RevokeKey
from domain.kernel.channel import Mode
from domain.kernel.errors import NotFound, StoreUnavailable
from entrypoints.http.app import build_app
from tests.api.world import World, errors_of

OPEN = {
    "/livez",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/docs",
    "/docs/{name}",
    "/problems",
    "/problems/{kind}",
}
ROUTES = sorted(
    (method, route.path_format)
    for route in build_app().routes
    if isinstance(route, HTTPRoute)
    for method in route.methods
)
GUARDED = [(method, path) for method, path in ROUTES if path not in OPEN]


def concrete(path: str) -> str:
    for name in ("{notification_id}", "{job_id}"):
        path = path.replace(name, str(uuid4()))
    path = path.replace("{version}", "1")
    return path.replace("{", "").replace("}", "")


def test_the_routes_without_a_key_are_these() -> None:
    assert {path for _, path in ROUTES} >= OPEN
    assert all(path.startswith("/api/") for _, path in GUARDED)
    assert len(GUARDED) > 25


@pytest.mark.parametrize(("method", "path"), GUARDED)
async def test_every_route_asks_for_a_key(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, concrete(path), headers={"Authorization": ""}, content=b"{")
    assert errors_of(answer, 401) == {}
    assert answer.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("path", sorted(OPEN))
async def test_what_is_open_needs_none(client: httpx.AsyncClient, path: str) -> None:
    path = path.replace("{name}", "start.js").replace("{kind}", "invalid")
    assert (await client.get(path, headers={"Authorization": ""})).status_code == 200


@pytest.mark.parametrize(
    "path", ["//api/channels", "/api//channels", "/api/channels/", "/API/channels", "/api/./channels"]
)
async def test_no_spelling_of_a_path_gets_round_the_key(world: World, path: str) -> None:
    answer = await world.client.get(f"http://posthorn.test{path}", headers={"Authorization": ""})
    assert answer.status_code in {401, 404}


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_the_scheme_has_no_case(world: World, scheme: str) -> None:
    headers = {"Authorization": f"{scheme} {world.live_key}"}
    assert (await world.client.get("/api/channels", headers=headers)).status_code == 200


async def test_a_wrong_key_is_refused(world: World) -> None:
    key = world.live_key
    other = "Z" if key[12] != "Z" else "Y"
    wrong = [
        f"Basic {key}",
        key,
        "Bearer",
        "Bearer ",
        f"Bearer {key}x",
        f"Bearer {key[:-1]}",
        f"Bearer {key[:12]}{other}{key[13:]}",
        f"Bearer {key.replace('ph_live_', 'ph_test_')}",
        "Bearer ü",
        f"Bearer {'x' * 5000}",
    ]
    for header in wrong:
        answer = await world.client.get("/api/channels", headers={"Authorization": header.encode("latin-1")})
        assert errors_of(answer, 401) == {}, header
        assert key not in answer.text


async def test_an_expired_key_is_refused(world: World) -> None:
    lasting = await world.create_key("lasting", Mode.LIVE, lifetime=timedelta(hours=1))
    over = await world.create_key("over", Mode.LIVE, lifetime=timedelta(hours=-1))
    for made, status in ((lasting, 200), (over, 401)):
        headers = {"Authorization": f"Bearer {made.secret.reveal()}"}
        assert (await world.client.get("/api/channels", headers=headers)).status_code == status


async def test_a_revoked_key_is_refused(world: World) -> None:
    made = await world.create_key("leaked", Mode.LIVE)
    revoke = RevokeKey(keys=world.create_key.keys, clock=world.create_key.clock)
    await revoke(made.key.id)
    headers = {"Authorization": f"Bearer {made.secret.reveal()}"}
    assert (await world.client.get("/api/channels", headers=headers)).status_code == 401
    with pytest.raises(NotFound):
        await revoke(uuid4())


async def test_a_key_that_cannot_be_looked_up_is_no_reason_to_call_it_wrong(world: World) -> None:
    made = await world.create_key("new", Mode.LIVE)

    async def away(digest: bytes) -> None:
        raise StoreUnavailable(f"away {digest!r}")

    keys = type("Away", (), {"find": staticmethod(away)})()
    world.app.services.authenticate.keys = keys
    headers = {"Authorization": f"Bearer {made.secret.reveal()}"}
    answer = await world.client.get("/api/channels", headers=headers)
    assert errors_of(answer, 503) == {}


async def test_the_wide_event_names_the_key_and_not_the_secret(world: World) -> None:
    await world.client.get("/api/users/lisa?x=lisa@example.com")
    [seen] = world.seen
    live = next(key for key in world.rows.api_keys.values() if key.mode is Mode.LIVE)
    assert (seen.method, seen.route, seen.status, seen.key) == ("GET", "/api/users/{user_id}", 422, live.id)
    assert world.live_key not in repr(seen)
    assert "lisa" not in repr(seen.route)
