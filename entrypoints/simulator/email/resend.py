"""Resend: `POST /emails` and `POST /emails/batch`.

A repeated call with the same Idempotency-Key gets the first answer, and nothing is sent again.
"""

from collections.abc import Mapping, Sequence
from uuid import UUID

from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour, instruction_in
from entrypoints.simulator.kit import Got, Handler, Simulator, answer, json_of, routes

BAD_KEY = "Bearer bad"
BATCH_MAX = 100
_DEFERRED: Mapping[Behaviour, tuple[int, str, str]] = {
    Behaviour.DEFER: (500, "application_error", "An unexpected error occurred."),
    Behaviour.THROTTLE: (429, "rate_limit_exceeded", "Too many requests."),
}


def resend(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any key is good but the one named `bad`."""

    async def batch(request: web.Request) -> web.Response:
        documents = await json_of(request)
        if not isinstance(documents, list) or not 1 <= len(documents) <= BATCH_MAX:
            return _error(422, "validation_error", "The batch must have 1 to 100 emails.")
        wrong = {place: words for place, each in enumerate(documents) if (words := _wrong(each))}
        permissive = request.headers.get("x-batch-validation") == "permissive"
        if wrong and not permissive:
            return _error(422, "validation_error", next(iter(wrong.values())))
        if (deferred := await _taken(simulator, documents)) is not None:
            return _error(*_DEFERRED[deferred])
        ids = [{"id": simulator.reference()} for place in range(len(documents)) if place not in wrong]
        errors = [{"index": place, "message": words} for place, words in wrong.items()]
        return answer({"data": ids, "errors": errors} if permissive else {"data": ids})

    async def single(request: web.Request) -> web.Response:
        document = await json_of(request)
        if (deferred := await _taken(simulator, [document])) is not None:
            return _error(*_DEFERRED[deferred])
        if words := _wrong(document):
            return _error(422, "validation_error", words)
        return answer({"id": simulator.reference()})

    kept: dict[str, tuple[Json, bytes]] = {}
    return routes(("POST", "/emails/batch", _once(batch, kept)), ("POST", "/emails", _once(single, kept)))


def _once(handler: Handler, kept: dict[str, tuple[Json, bytes]]) -> Handler:
    """Answers calls of those who may make them.

    Args:
        kept: by key, the document of a call that succeeded, and the body of its answer.
    """

    async def handle(request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization", BAD_KEY) == BAD_KEY:
            return _error(401, "validation_error", "API key is invalid")
        key, document = request.headers.get("Idempotency-Key", ""), await json_of(request)
        if key in kept:
            before, repeated = kept[key]
            if before != document:
                words = "This idempotency key has been used with another request body."
                return _error(409, "invalid_idempotent_request", words)
            return web.Response(body=repeated, content_type="application/json")
        answered = await handler(request)
        said = answered.body if isinstance(answered, web.Response) else None
        if key and answered.status == 200 and isinstance(said, bytes):
            kept[key] = (document, said)
        return answered

    return handle


async def _taken(simulator: Simulator, documents: Sequence[dict[str, Json]]) -> Behaviour | None:
    """Take what is right and what asks to be refused; why the whole call is deferred, or None."""
    got = [_got(each) for each in documents if not _missing(each)]
    refused = [each for each in got if _refused(each.address)]
    behaviours = await simulator.take([each for each in got if each not in refused], all_or_none=True)
    if Behaviour.THROTTLE in behaviours:
        return Behaviour.THROTTLE
    if Behaviour.DEFER in behaviours:
        return Behaviour.DEFER
    await simulator.take(refused)
    return None


def _got(document: dict[str, Json]) -> Got:
    tags = {tag["name"]: tag["value"] for tag in document.get("tags", [])}
    delivery = tags.get("posthorn_delivery")
    return Got(
        address=_address(document),
        delivery=UUID(delivery) if delivery else None,
        attempt=int(tags.get("posthorn_attempt", 1)),
        document=document,
    )


def _address(document: dict[str, Json]) -> str:
    to = document["to"]
    header: str = to[0] if isinstance(to, list) else to
    return header.rpartition("<")[2].rstrip("> ")


def _refused(address: str) -> bool:
    asked = instruction_in(address)
    return asked is not None and asked.behaviour is Behaviour.REFUSE


def _missing(document: dict[str, Json]) -> str | None:
    for name in ("from", "to", "subject"):
        if not document.get(name):
            return f"Missing `{name}` field."
    return None if document.get("text") or document.get("html") else "Missing `html` or `text` field."


def _wrong(document: dict[str, Json]) -> str | None:
    """What is wrong with a message, in Resend's words."""
    if words := _missing(document):
        return words
    address = _address(document)
    return f"Invalid `to` field: {address} is no email address." if _refused(address) else None


def _error(status: int, name: str, words: str) -> web.Response:
    headers = {"retry-after": "1"} if status == 429 else None
    return answer({"statusCode": status, "name": name, "message": words}, status, headers)
