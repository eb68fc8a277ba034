"""Apple's push notification service: `POST /3/device/{token}`, an ASGI application for HTTP/2."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias
from urllib.parse import unquote
from uuid import UUID

import jwt
import msgspec

from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator

Event: TypeAlias = dict[str, Any]  # as the ASGI specification has it
Receive = Callable[[], Awaitable[Event]]
Send = Callable[[Event], Awaitable[None]]
Application = Callable[[Event, Receive, Send], Awaitable[None]]

SIZE_MAX = 4096
_ANSWERS: Mapping[Behaviour, tuple[int, str]] = {
    Behaviour.REFUSE: (410, "Unregistered"),
    Behaviour.DEFER: (503, "ServiceUnavailable"),
    Behaviour.THROTTLE: (429, "TooManyRequests"),
}


def apns(simulator: Simulator, key: bytes, topic: str) -> Application:
    """The application; `key` is the public one (PEM) of the only provider that it knows."""

    async def application(scope: Event, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        body = await _whole(receive)
        refusal = _refusal(scope, headers, body)
        if refusal is None:
            [behaviour] = await simulator.take([_got(scope["path"], body)])
            refusal = _ANSWERS.get(behaviour)
        status, reason = refusal or (200, "")
        said = msgspec.json.encode({"reason": reason}) if reason else b""
        named = [(b"apns-id", headers.get("apns-id", simulator.reference()).upper().encode())]
        await send({"type": "http.response.start", "status": status, "headers": named})
        await send({"type": "http.response.body", "body": said})

    def _refusal(scope: Event, headers: Mapping[str, str], body: bytes) -> tuple[int, str] | None:
        if scope["http_version"] != "2" or scope["method"] != "POST":
            return 405, "MethodNotAllowed"
        scheme, _, token = headers.get("authorization", "").partition(" ")
        try:
            jwt.decode(token, key, algorithms=["ES256"], options={"require": ["iss", "iat"]})
        except jwt.InvalidTokenError:
            return 403, "InvalidProviderToken" if scheme else "MissingProviderToken"
        if headers.get("apns-topic") != topic:
            return 400, "TopicDisallowed"
        if headers.get("apns-push-type") != "alert":
            return 400, "InvalidPushType"
        return (413, "PayloadTooLarge") if len(body) > SIZE_MAX else None

    return application


async def _whole(receive: Receive) -> bytes:
    body = bytearray()
    while True:
        event = await receive()
        body += event.get("body", b"")
        if not event.get("more_body"):
            return bytes(body)


def _got(path: str, body: bytes) -> Got:
    document = msgspec.json.decode(body)
    delivery = document.get("posthorn_delivery")
    return Got(
        address=unquote(path.removeprefix("/3/device/")),
        delivery=UUID(delivery) if delivery else None,
        attempt=int(document.get("posthorn_attempt", 1)),
        document=document,
    )
