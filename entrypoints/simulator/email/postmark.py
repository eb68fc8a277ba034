"""Postmark: `POST /email` and `POST /email/batch`.

A batch answers 200 and says of each message what became of it; a single message answers 422 with the code.
"""

from uuid import UUID

from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, json_of, routes

TOKEN_HEADER = "X-Postmark-Server-Token"  # noqa: S105  a header's name
BAD_TOKEN = "bad"  # noqa: S105  what is refused here
BATCH_MAX = 500


def postmark(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any token is good but the one named `bad`."""

    async def batch(request: web.Request) -> web.Response:
        if (refusal := _unauthorised(request)) is not None:
            return refusal
        documents = await json_of(request)
        if not isinstance(documents, list) or len(documents) > BATCH_MAX:
            return _error(422, 410, "Too many batch messages")
        behaviours = await simulator.take([_got(each) for each in documents])
        if Behaviour.THROTTLE in behaviours:
            return _throttled()
        return answer([_result(simulator, *each) for each in zip(documents, behaviours, strict=True)])

    async def single(request: web.Request) -> web.Response:
        if (refusal := _unauthorised(request)) is not None:
            return refusal
        document = await json_of(request)
        [behaviour] = await simulator.take([_got(document)])
        if behaviour is Behaviour.THROTTLE:
            return _throttled()
        result = _result(simulator, document, behaviour)
        return answer(result, 200 if result["ErrorCode"] == 0 else 422)

    return routes(("POST", "/email/batch", batch), ("POST", "/email", single))


def _got(document: dict[str, Json]) -> Got:
    metadata = document.get("Metadata", {})
    delivery = metadata.get("posthorn_delivery")
    return Got(
        address=_address(document["To"]),
        delivery=UUID(delivery) if delivery else None,
        attempt=int(metadata.get("posthorn_attempt", 1)),
        document=document,
    )


def _address(header: str) -> str:
    return header.rpartition("<")[2].rstrip("> ")


def _result(simulator: Simulator, document: dict[str, Json], behaviour: Behaviour) -> dict[str, Json]:
    to = document["To"]
    match behaviour:
        case Behaviour.REFUSE:
            words = f"You tried to send to a recipient that has been marked as inactive. Inactive: {to}"
            return {"ErrorCode": 406, "Message": words}
        case Behaviour.DEFER:
            return {"ErrorCode": 100, "Message": "Maintenance"}
        case _:
            return {
                "To": to,
                "SubmittedAt": "2026-11-01T00:00:00.0000000+00:00",
                "MessageID": simulator.reference(),
                "ErrorCode": 0,
                "Message": "OK",
            }


def _unauthorised(request: web.Request) -> web.Response | None:
    if request.headers.get(TOKEN_HEADER, BAD_TOKEN) == BAD_TOKEN:
        return _error(401, 10, "Request does not contain a valid Server token.")
    return None


def _throttled() -> web.Response:
    return answer({"ErrorCode": 429, "Message": "Rate limit exceeded"}, 429, {"Retry-After": "1"})


def _error(status: int, code: int, words: str) -> web.Response:
    return answer({"ErrorCode": code, "Message": words}, status)
