"""Endpoints of webhooks: `POST /{endpoint}`, where the endpoint's name says what it does.

They verify what is signed with `SECRET`, and ignore what they have seen, as receivers should.
"""

import base64
import hmac
from collections import deque
from urllib.parse import quote
from uuid import UUID

import msgspec
from aiohttp import web

from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, routes

KEY = b"of the simulated endpoints......"
SECRET = f"whsec_{base64.b64encode(KEY).decode()}"
SEEN_MAX = 10_000
_STATUSES = {Behaviour.REFUSE: 410, Behaviour.DEFER: 503, Behaviour.THROTTLE: 429}


def endpoint(url: str, address: str) -> str:
    """The URL of a simulated endpoint that does what an address asks for."""
    return f"{url}/{quote(address, safe='')}"


def webhook(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes."""
    seen: deque[str] = deque(maxlen=SEEN_MAX)

    async def post(request: web.Request) -> web.Response:
        body = await request.read()
        if not _proven(request, body):
            return web.Response(status=401)
        id_ = request.headers["webhook-id"]
        if id_ in seen:
            return web.Response(status=204)
        got = Got(
            address=request.match_info["endpoint"],
            delivery=_uuid(id_),
            attempt=int(request.headers.get("Posthorn-Attempt", "1")),
            document=msgspec.json.decode(body),
        )
        [behaviour] = await simulator.take([got])
        if status := _STATUSES.get(behaviour):
            return web.Response(status=status, headers={"Retry-After": "1"} if status == 429 else None)
        seen.append(id_)
        return web.Response(status=204)

    return routes(("POST", "/{endpoint}", post))


def _proven(request: web.Request, body: bytes) -> bool:
    id_, sent = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
    said = f"{id_}.{sent}.".encode() + body
    signature = base64.b64encode(hmac.digest(KEY, said, "sha256")).decode()
    return f"v1,{signature}" in request.headers.get("webhook-signature", "").split()


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
