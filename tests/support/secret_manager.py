"""A secret manager: a real HTTP server that has entries as version 2 of HashiCorp Vault's engine has them.

Held to Vault's own client (`hvac`) in tests/peers/test_secret_manager.py.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web

from domain.kernel.json_values import Json

TOKEN = "hvs.canary"


@dataclass(slots=True)
class SecretManager:
    """See the module."""

    entries: dict[str, Mapping[str, Json] | None] = field(default_factory=dict)
    """By path; None: deleted."""
    url: str = ""
    token: str = TOKEN
    status: int = 200
    """Answered to every call, when it is another one."""
    body: bytes | None = None
    """Answered in place of the entry."""
    delay: float = 0.0
    calls: list[str] = field(default_factory=list)
    namespaces: list[str | None] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        """One call."""
        path = request.match_info["path"]
        self.calls.append(path)
        self.namespaces.append(request.headers.get("X-Vault-Namespace"))
        await asyncio.sleep(self.delay)
        if self.status != 200:
            headers = {"Location": f"{self.url}/v1/secret/data/{path}"}
            return web.json_response({"errors": ["as the test has it"]}, status=self.status, headers=headers)
        if self.body is not None:
            return web.Response(body=self.body, content_type="application/json")
        if request.headers.get("X-Vault-Token") != self.token:
            return web.json_response({"errors": ["permission denied"]}, status=403)
        if path not in self.entries:
            return web.json_response({"errors": []}, status=404)
        entry = self.entries[path]
        deleted = "" if entry is not None else "2026-01-02T03:04:05.6Z"
        metadata = {"created_time": "2026-01-01T00:00:00Z", "deletion_time": deleted, "version": 1}
        answer: Json = {"request_id": "0", "lease_id": "", "data": {"data": entry, "metadata": metadata}}
        return web.json_response(answer, status=200 if entry is not None else 404)


@asynccontextmanager
async def secret_manager(entries: Mapping[str, Mapping[str, Json] | None]) -> AsyncIterator[SecretManager]:
    """Serve on a free port until the end."""
    manager = SecretManager(dict(entries))
    app = web.Application()
    app.router.add_get("/v1/secret/data/{path:.+}", manager.take)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        manager.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield manager
    finally:
        await runner.cleanup()
