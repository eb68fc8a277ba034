"""Health, metrics, the contract, the documentation."""

import json
import re
from pathlib import Path

import httpx
import pytest

from entrypoints.http.app import build_app, contract
from entrypoints.http.problems.kinds import KINDS
from entrypoints.http.services import Readiness
from tests.api.world import World, errors_of

ROOT = Path(__file__).parents[2]


async def test_the_process_lives(client: httpx.AsyncClient) -> None:
    answer = await client.get("/livez")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


@pytest.mark.parametrize("ready", [True, False])
async def test_ready_says_how_each_part_stands(world: World, ready: bool) -> None:
    world.ready = Readiness(ready=ready, parts={"database": "ok" if ready else "away"})
    answer = await world.client.get("/readyz")
    assert answer.status_code == (200 if ready else 503)
    assert answer.json() == {"ready": ready, "parts": world.ready.parts}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_head_is_answered_without_a_body(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > 0


async def test_metrics_are_those_of_the_registry(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "posthorn_things_total 1.0" in answer.text


async def test_the_contract_is_served(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["openapi"] == "3.1.0"


def test_the_committed_contract_is_the_one_that_is_served() -> None:
    committed = json.loads((ROOT / "openapi.json").read_text())
    assert committed == json.loads(contract()), (
        "the contract changed: python -m entrypoints.http.openapi > openapi.json"
    )


def test_the_contract_tells_of_every_route_and_every_reference_leads_somewhere() -> None:
    document = json.loads(contract())
    documented = {
        (method.upper(), path) for path, operations in document["paths"].items() for method in operations
    }
    app = build_app()
    routed = {
        (method, (declared.path if (declared := handler.opt.get("declared")) else None) or route.path_format)
        for route in app.routes
        for handler in route.route_handlers  # type: ignore[union-attr]
        for method in handler.http_methods
        if method not in {"OPTIONS", "HEAD"}
    }
    pages = {"/openapi.json", "/docs", "/docs/{name}", "/problems", "/problems/{kind}"}
    assert documented == {(method, path) for method, path in routed if path not in pages}
    for reference in re.findall(r'"\$ref":"#/([^"]+)"', contract().decode()):
        at = document
        for step in reference.split("/"):
            at = at[step]
    assert "security" not in document  # then operations without one are open
    for path, operations in document["paths"].items():
        for operation in operations.values():
            assert operation.get("security", []) == ([{"apiKey": []}] if path.startswith("/api/") else [])
            assert operation["summary"]
            assert "500" in operation["responses"]
            assert ("security" in operation) == ("401" in operation["responses"])


async def test_every_page_asks_this_origin_only(client: httpx.AsyncClient) -> None:
    for path in ("/docs", "/problems", *(f"/problems/{kind}" for kind in KINDS)):
        page = await client.get(path)
        assert page.status_code == 200
        assert "default-src 'none'" in page.headers["content-security-policy"]
        for source in re.findall(r'(?:src|href)="([^"]*)"', page.text):
            assert source.startswith("/") or source == "data:,"
            if source.startswith("/"):
                assert (await client.get(source)).status_code == 200, source


@pytest.mark.parametrize("path", ["/docs/nope.js", "/docs/..%2fapp.py", "/problems/nope"])
async def test_there_is_no_such_page(client: httpx.AsyncClient, path: str) -> None:
    assert errors_of(await client.get(path), 404) == {}
