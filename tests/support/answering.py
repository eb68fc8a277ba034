"""A server that gives every request the same answer, or the next of several, and remembers the requests."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web


@dataclass(frozen=True)
class Said:
    """An answer."""

    status: int
    document: Any = None
    """None: an empty body."""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Asked:
    """A request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)


@dataclass
class Answering:
    """The server: its URL, and what it was asked."""

    answers: list[Said]
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(Asked(request.raw_path, dict(request.headers), await request.read()))
        said = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        body = b"" if said.document is None else msgspec.json.encode(said.document)
        return web.Response(
            status=said.status, headers=said.headers, body=body, content_type="application/json"
        )


@asynccontextmanager
async def answering(*answers: Said) -> AsyncIterator[Answering]:
    """A server on a free port of this host; the last answer is given again and again."""
    server = Answering(list(answers))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", server.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    server.url = f"http://{host}:{port}"
    try:
        yield server
    finally:
        await runner.cleanup()
