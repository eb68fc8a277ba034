"""Vonage's Messages API, version 1: `POST /v1/messages`, for text messages.

Our delivery and its attempt are in client_ref.
"""

from collections.abc import Mapping
from uuid import UUID

from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, basic_of, json_of, routes

BAD_SECRET = "bad"  # noqa: S105  what is refused here
TEXT_MAX = 3_200
REFERENCE_MAX = 100
_ABOUT = "https://developer.vonage.com/api-errors"
_ERRORS: Mapping[Behaviour, tuple[int, str, str, str]] = {
    Behaviour.REFUSE: (422, "messages#1430", "Invalid recipient", "The `to` parameter {} is invalid."),
    Behaviour.DEFER: (500, "messages#1030", "Internal error", "There was an error processing your request."),
    Behaviour.THROTTLE: (429, "messages#1000", "Rate Limit Hit", "Please wait, then retry your request"),
}


def vonage(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any token is good, and any secret but the one named `bad`."""

    async def create(request: web.Request) -> web.Response:
        scheme = request.headers.get("Authorization", "").partition(" ")[0]
        if scheme not in {"Basic", "Bearer"} or basic_of(request)[1] == BAD_SECRET:
            words = "You did not provide correct credentials."
            return _error(401, "#unauthorized", "Unauthorized", words)
        document = await json_of(request)
        if wrong := _wrong(document):
            return _error(422, "messages#1150", "Invalid params", "One or more are invalid.", wrong)
        [behaviour] = await simulator.take([_got(document)])
        if behaviour in _ERRORS:
            status, code, title, detail = _ERRORS[behaviour]
            return _error(status, code, title, detail.format(document["to"]))
        return answer({"message_uuid": simulator.reference()}, 202)

    return routes(("POST", "/v1/messages", create))


def _got(document: dict[str, Json]) -> Got:
    delivery, _, attempt = document.get("client_ref", "").partition(":")
    return Got(
        address=document["to"],
        delivery=UUID(delivery) if delivery else None,
        attempt=int(attempt or 1),
        document=document,
    )


def _wrong(document: dict[str, Json]) -> list[dict[str, str]]:
    """What is wrong with it, by name."""
    required = ("message_type", "channel", "to", "from", "text")
    wrong = [{"name": name, "reason": "is required."} for name in required if not document.get(name)]
    if document.get("to", "").startswith("+"):
        wrong.append({"name": "to", "reason": "must have no leading +."})
    if len(document.get("text", "")) > TEXT_MAX:
        wrong.append({"name": "text", "reason": "is too long."})
    if len(document.get("client_ref", "")) > REFERENCE_MAX:
        wrong.append({"name": "client_ref", "reason": "is too long."})
    return wrong


def _error(
    status: int, code: str, title: str, detail: str, wrong: list[dict[str, str]] | None = None
) -> web.Response:
    document = {
        "type": f"{_ABOUT}/{code}",
        "title": title,
        "detail": detail,
        "instance": "bf0ca0bf927b3b52e3cb03217e1a1ddf",
    }
    more = {"invalid_parameters": wrong} if wrong else {}
    return answer({**document, **more}, status, {"Retry-After": "1"} if status == 429 else None)
