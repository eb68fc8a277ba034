"""What goes wrong outside the handlers: no such path, no such method, and what nobody expected."""

from dataclasses import replace

import httpx
import pytest

from tests.api.world import INLINE, World, errors_of


@pytest.mark.parametrize("path", ["/nowhere", "/api", "/api/nowhere", "/api/notifications/1/2/3"])
async def test_no_such_path(world: World, path: str) -> None:
    answer = await world.client.get(path)
    assert errors_of(answer, 404) == {}
    assert answer.json()["type"] == "/problems/not-found"
    assert answer.json()["instance"] == httpx.URL(path).path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/notifications", {"GET", "POST", "OPTIONS"}),
        ("PATCH", "/api/users/1", {"GET", "PUT", "DELETE", "OPTIONS"}),
        ("POST", "/livez", {"GET", "HEAD", "OPTIONS"}),
    ],
)
async def test_no_such_method(world: World, method: str, path: str, allowed: set[str]) -> None:
    answer = await world.client.request(method, path)
    assert errors_of(answer, 405) == {}
    assert set(answer.headers["allow"].replace(" ", "").split(",")) == allowed


async def test_what_nobody_expected_tells_the_trace_and_nothing_else(world: World) -> None:
    async def broken(after: str, limit: int, *, channel: str | None = None) -> None:
        raise ValueError(f"password=hunter2 {after}{limit}{channel}")

    templates = type("Broken", (), {"page": staticmethod(broken)})()
    world.app.services = replace(world.app.services, templates=templates)
    answer = await world.client.get("/api/templates")
    assert errors_of(answer, 500) == {}
    assert answer.json()["type"] == "/problems/internal"
    assert "hunter2" not in answer.text
    assert "ValueError" not in answer.text
    assert isinstance(world.seen[-1].error, ValueError)
    assert world.seen[-1].trace_id == answer.json()["trace_id"]


async def test_a_host_that_is_none_is_malformed(world: World) -> None:
    answer = await world.client.get("/livez", headers={"Host": "a b"})
    assert errors_of(answer, 400) == {}


@pytest.mark.parametrize(
    "given",
    [
        "",
        "nonsense",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
    ],
)
async def test_a_trace_that_is_none_begins_anew(client: httpx.AsyncClient, given: str) -> None:
    answers = [await client.get("/livez", headers={"traceparent": given}) for _ in range(2)]
    first, second = (answer.headers["x-request-id"] for answer in answers)
    assert first != second
    assert len(first) == 32
    assert "0af7651916cd43dd8448eb211c80319c" not in (first, second)
    assert answers[0].headers["traceparent"].startswith(f"00-{first}-")


async def test_every_request_is_seen_once(world: World) -> None:
    await world.client.post("/api/notifications", json=INLINE)
    await world.client.get("/nowhere")
    await world.client.get("/api/channels", headers={"Authorization": ""})
    assert [(seen.route, seen.status) for seen in world.seen] == [
        ("/api/notifications", 202),
        (None, 404),
        ("/api/channels", 401),
    ]
    assert all(0 <= seen.seconds < 10 for seen in world.seen)
