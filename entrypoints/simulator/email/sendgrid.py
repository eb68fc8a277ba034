"""SendGrid: `POST /v3/mail/send`.

A call is taken whole, 202 with one id in a header, or not at all: then 400 names each bad recipient by its
place.
"""

from uuid import UUID

from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, json_of, routes

BAD_KEY = "Bearer bad"
PERSONALIZATIONS_MAX = 1_000
RESET = {"X-RateLimit-Reset": "1767225600"}
"""A time that has passed: calls are counted anew already."""


def sendgrid(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any key is good but the one named `bad`."""

    async def send(request: web.Request) -> web.Response:
        if request.headers.get("Authorization", BAD_KEY) == BAD_KEY:
            return _error(401, "The provided authorization grant is invalid, expired, or revoked")
        document = await json_of(request)
        personalizations = document.get("personalizations")
        if not personalizations or len(personalizations) > PERSONALIZATIONS_MAX:
            return _error(400, "The personalizations field is required", "personalizations")
        got = [_got(document, each) for each in personalizations]
        behaviours = await simulator.take(got, all_or_none=True)
        if Behaviour.REFUSE in behaviours:
            return _refused(behaviours)
        if Behaviour.THROTTLE in behaviours:
            return _error(429, "too many requests", headers=RESET)
        if Behaviour.DEFER in behaviours:
            return _error(503, "The SendGrid v3 Web API is not available.")
        return web.Response(status=202, headers={"X-Message-Id": simulator.reference()})

    return routes(("POST", "/v3/mail/send", send))


def _got(document: dict[str, Json], personalization: dict[str, Json]) -> Got:
    ours = personalization.get("custom_args", {})
    delivery = ours.get("posthorn_delivery")
    return Got(
        address=personalization["to"][0]["email"],
        delivery=UUID(delivery) if delivery else None,
        attempt=int(ours.get("posthorn_attempt", 1)),
        document={**document, "personalizations": [personalization]},
    )


def _refused(behaviours: list[Behaviour]) -> web.Response:
    errors = [
        {
            "message": "Does not contain a valid address.",
            "field": f"personalizations.{place}.to.0.email",
            "help": "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message.personalizations.to",
        }
        for place, each in enumerate(behaviours)
        if each is Behaviour.REFUSE
    ]
    return answer({"errors": errors}, 400)


def _error(
    status: int, words: str, field: str | None = None, headers: dict[str, str] | None = None
) -> web.Response:
    return answer({"errors": [{"message": words, "field": field, "help": None}]}, status, headers)
