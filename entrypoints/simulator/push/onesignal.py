"""OneSignal: `POST /notifications`, for one user.

A user whom it does not know is no error: the answer has no id.  A key that it has seen gets the first answer.
"""

from uuid import UUID

from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, json_of, routes

BAD_KEY = "Key bad"
DATA_MAX = 2048


def onesignal(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any key is good but the one named `bad`."""
    seen: dict[str, str] = {}

    async def create(request: web.Request) -> web.Response:
        if request.headers.get("Authorization", BAD_KEY) == BAD_KEY:
            return answer({"errors": ["Access denied. Please include a valid API key"]}, 401)
        document = await json_of(request)
        if not document.get("contents", {}).get("en"):
            return answer({"errors": ["Notification contents must not be null for any languages."]}, 400)
        key = document.get("idempotency_key", "")
        if key in seen:
            return answer({"id": seen[key], "external_id": key})
        [behaviour] = await simulator.take([_got(document)])
        match behaviour:
            case Behaviour.REFUSE:
                return answer({"id": "", "errors": ["All included players are not subscribed"]})
            case Behaviour.DEFER:
                return answer({"errors": ["Service temporarily unavailable"]}, 503)
            case Behaviour.THROTTLE:
                return answer({"errors": ["API rate limit exceeded."]}, 429, {"Retry-After": "1"})
            case _:
                seen[key] = simulator.reference()
                return answer({"id": seen[key], "external_id": key})

    return routes(("POST", "/notifications", create))


def _got(document: Json) -> Got:
    data = document.get("data", {})
    delivery = data.get("posthorn_delivery")
    return Got(
        address=document["include_aliases"]["external_id"][0],
        delivery=UUID(delivery) if delivery else None,
        attempt=int(data.get("posthorn_attempt", 1)),
        document=document,
    )
