"""Postmark: `POST /email`, `POST /email/batch` and `GET /messages/outbound`.

A batch answers 200 and says of each message what became of it; a single message answers 422 with the code.
"""

from uuid import NAMESPACE_OID, UUID, uuid5

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

    async def search(request: web.Request) -> web.Response:
        if (refusal := _unauthorised(request)) is not None:
            return refusal
        wanted = request.query.get("metadata_posthorn_delivery")
        found = [
            {"MessageID": _id(got), "Status": "Sent", "Metadata": got.document["Metadata"]}
            for got in simulator.got
            if str(got.delivery) == wanted
        ]
        shown = found[: int(request.query["count"])]
        return answer({"TotalCount": len(found), "Messages": shown})

    return routes(
        ("POST", "/email/batch", batch), ("POST", "/email", single), ("GET", "/messages/outbound", search)
    )


def _id(got: Got) -> str:
    """The MessageID that a message got, or would have got when it was answered."""
    return str(uuid5(NAMESPACE_OID, f"{got.delivery}:{got.attempt}"))


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
                "MessageID": _id(_got(document)) if _got(document).delivery else simulator.reference(),
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
