"""Mailgun: `POST /v3/{domain}/messages`, as a form or as multipart, and `GET /v3/{domain}/events`."""

from collections.abc import Mapping
from uuid import UUID

import msgspec
from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, basic_of, routes

BAD_KEY = "bad"
RECIPIENTS_MAX = 1_000
_ERRORS: Mapping[Behaviour, tuple[int, str]] = {
    Behaviour.REFUSE: (400, "'to' parameter is not a valid address. please check documentation"),
    Behaviour.DEFER: (500, "Internal Server Error"),
    Behaviour.THROTTLE: (
        429,
        "Domain shop.test is not allowed to send: account-requests-per-sec limit exceeded, "
        "try again after 1 seconds",
    ),
}


def mailgun(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any key is good but the one named `bad`."""

    async def create(request: web.Request) -> web.Response:
        user, key = basic_of(request)
        if user != "api" or key == BAD_KEY:
            return answer("Forbidden", 401)
        document = await _document(request)
        for name in ("from", "to"):
            if not document.get(name):
                return answer({"message": f"'{name}' parameter is missing"}, 400)
        if not (document.get("text") or document.get("html")):
            words = "Need at least one of 'text', 'html', 'amp-html' or 'template' parameters specified"
            return answer({"message": words}, 400)
        got = _each(document)
        if len(got) > RECIPIENTS_MAX:
            return answer({"message": "to parameter has too many recipients"}, 400)
        behaviours = await simulator.take(got, all_or_none=True)
        failed = [each for each in _ERRORS if each in behaviours]
        if failed:
            behaviour = failed[0]
            status, words = _ERRORS[behaviour]
            return answer({"message": words}, status, {"Retry-After": "1"} if status == 429 else None)
        own = f"<{simulator.reference()}@{request.match_info['domain']}>"
        return answer({"id": document.get("h:Message-Id", own), "message": "Queued. Thank you."})

    async def events(request: web.Request) -> web.Response:
        if basic_of(request)[1] == BAD_KEY:
            return answer("Forbidden", 401)
        items = [
            {
                "event": "accepted",
                "message": {"headers": {"message-id": request.query["message-id"]}},
                "user-variables": _variables(got.document),
            }
            for got in simulator.got
            if got.document.get("h:Message-Id") == f"<{request.query['message-id']}>"
        ]
        return answer({"items": items[: int(request.query["limit"])], "paging": {}})

    return routes(("POST", "/v3/{domain}/messages", create), ("GET", "/v3/{domain}/events", events))


def _variables(document: dict[str, Json]) -> dict[str, Json]:
    return {name[2:]: value for name, value in document.items() if name.startswith("v:")}


async def _document(request: web.Request) -> dict[str, Json]:
    """The fields of the form; its files are a list under `attachment`."""
    document: dict[str, Json] = {}
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            content = value.file.read()
            file = {"name": value.filename, "type": value.content_type, "bytes": len(content)}
            document.setdefault(name, []).append(file)
        elif name == "to" and name in document:
            document[name] += "\n" + str(value)
        else:
            document[name] = str(value)
    return document


def _each(document: dict[str, Json]) -> list[Got]:
    """The messages of one call: one for each recipient, with its variables filled in."""
    headers = document["to"].split("\n")
    known = msgspec.json.decode(document.get("recipient-variables", "{}"))
    if len(headers) > 1 and not all(known.get(_address(header)) for header in headers):
        raise web.HTTPBadRequest(text="here nobody is shown the addresses of others")
    return [_got(_filled({**document, "to": header}, known.get(_address(header), {}))) for header in headers]


def _filled(document: dict[str, Json], own: dict[str, str]) -> dict[str, Json]:
    """The document with what stands for this recipient."""
    for name, value in own.items():
        for field, text in document.items():
            if isinstance(text, str) and field != "recipient-variables":
                document[field] = text.replace(f"%recipient.{name}%", value)
    return document


def _address(header: str) -> str:
    return header.rpartition("<")[2].rstrip("> ")


def _got(document: dict[str, Json]) -> Got:
    delivery = document.get("v:posthorn_delivery")
    return Got(
        address=_address(document["to"]),
        delivery=UUID(delivery) if delivery else None,
        attempt=int(document.get("v:posthorn_attempt", 1)),
        document=document,
    )
