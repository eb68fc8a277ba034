"""Firebase Cloud Messaging: `POST /v1/projects/{project}/messages:send`, and Google's `POST /token`."""

from uuid import UUID

import jwt
from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, json_of, routes

AUDIENCE = "https://oauth2.googleapis.com/token"
TOKEN = "ya29."  # noqa: S105  how the tokens begin that are given here
DATA_MAX = 4096


def fcm(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any message with a token of `fcm_tokens` is taken."""

    async def send(request: web.Request) -> web.Response:
        if not request.headers.get("Authorization", "").startswith(f"Bearer {TOKEN}"):
            return _error(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        message = (await json_of(request))["message"]
        data = message.get("data", {})
        if not all(isinstance(value, str) for value in data.values()):
            return _error(400, "INVALID_ARGUMENT", "Invalid value at 'message.data[0].value' (TYPE_STRING)")
        if sum(len(f"{name}{value}".encode()) for name, value in data.items()) > DATA_MAX:
            return _error(400, "INVALID_ARGUMENT", "Message too big")
        [behaviour] = await simulator.take([_got(message)])
        match behaviour:
            case Behaviour.REFUSE:
                return _error(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED")
            case Behaviour.DEFER:
                return _error(503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE")
            case Behaviour.THROTTLE:
                return _error(429, "RESOURCE_EXHAUSTED", "Quota exceeded", "QUOTA_EXCEEDED", wait="1")
            case _:
                project = request.match_info["project"]
                return answer({"name": f"projects/{project}/messages/{simulator.reference()}"})

    return routes(("POST", "/v1/projects/{project}/messages:send", send))


def fcm_tokens(simulator: Simulator) -> list[web.RouteDef]:
    """Google's token endpoint: it looks at the assertion's claims, whoever has signed it."""

    async def token(request: web.Request) -> web.Response:
        form = await request.post()
        try:
            claims = jwt.decode(
                str(form.get("assertion")), options={"verify_signature": False}, audience=AUDIENCE
            )
        except jwt.InvalidTokenError:
            return answer({"error": "invalid_grant", "error_description": "Invalid JWT."}, 400)
        if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" or not claims.get("scope"):
            return answer({"error": "invalid_request"}, 400)
        given = f"{TOKEN}{simulator.reference()}"
        return answer({"access_token": given, "expires_in": 3599, "token_type": "Bearer"})

    return routes(("POST", "/token", token))


def _got(message: Json) -> Got:
    data = message.get("data", {})
    delivery = data.get("posthorn_delivery")
    return Got(
        address=message["token"],
        delivery=UUID(delivery) if delivery else None,
        attempt=int(data.get("posthorn_attempt", 1)),
        document=message,
    )


def _error(
    status: int, name: str, words: str, code: str | None = None, *, wait: str | None = None
) -> web.Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": code}] if code else []
    error = {"code": status, "message": words, "status": name, "details": details}
    return answer({"error": error}, status, {"Retry-After": wait} if wait else None)
