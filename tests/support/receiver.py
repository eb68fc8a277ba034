"""A receiver of webhooks: a real HTTP server on this machine that remembers, and answers as it is told.

    async with receiving() as receiver:
        receiver.answers = [500, 200]                 # one after the other; then 200
        … receiver.url …
        [got] = receiver.events

Signatures are verified with code of its own, as a receiver would.
"""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


class Got(msgspec.Struct, frozen=True):
    """One request."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        """The body, decoded."""
        return msgspec.json.decode(self.body)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def is_signed(self, secret: str = SECRET) -> bool:
        """Whether who knows the secret has sent exactly this."""
        key = base64.b64decode(secret.removeprefix("whsec_"))
        said = f"{self.id}.{self.headers['webhook-timestamp']}.".encode() + self.body
        signature = base64.b64encode(hmac.new(key, said, hashlib.sha256).digest()).decode()
        return f"v1,{signature}" in self.headers["webhook-signature"].split()


@dataclass(slots=True)
class Receiver:
    """See the module."""

    url: str = ""
    answers: list[int | float] = field(default_factory=list)
    """Statuses; a float is a silence of so many seconds before a 200."""
    events: list[Got] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """Remember and answer."""
        self.events.append(Got(request.path, dict(request.headers), await request.read()))
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            answer = 200
        return web.Response(status=answer, headers={"Location": f"{self.url}elsewhere"})


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    """Serve on a free port until the end."""
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", receiver.take)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        yield receiver
    finally:
        await runner.cleanup()
