"""Webhooks of Slack, Discord and Teams: `POST <path>/{hook}`; the hook says what is done with a message."""

from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, json_of, routes

DISCORD_MAX = 2_000
TEAMS_MAX = 28_000


def slack(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; the hook named `gone` is removed."""

    async def post(request: web.Request) -> web.Response:
        document = await json_of(request)
        if request.match_info["hook"] == "gone":
            return web.Response(status=404, text="no_service")
        if not (document.get("text") or document.get("blocks")):
            return web.Response(status=400, text="no_text")
        match await _taken(simulator, request, document):
            case Behaviour.REFUSE:
                return web.Response(status=400, text="invalid_payload")
            case Behaviour.DEFER:
                return web.Response(status=500, text="rollup_error")
            case Behaviour.THROTTLE:
                return web.Response(status=429, headers={"Retry-After": "1"})
            case _:
                return web.Response(text="ok")

    return routes(("POST", "/services/{hook}", post))


def discord(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; the hook named `gone` is removed."""

    async def execute(request: web.Request) -> web.Response:
        document = await json_of(request)
        if request.match_info["hook"] == "gone":
            return answer({"message": "Unknown Webhook", "code": 10015}, 404)
        content = document.get("content", "")
        if not content and not document.get("embeds"):
            return answer({"message": "Cannot send an empty message", "code": 50006}, 400)
        behaviour = Behaviour.REFUSE
        if len(content) <= DISCORD_MAX:
            behaviour = await _taken(simulator, request, document)
        match behaviour:
            case Behaviour.REFUSE:
                return answer({"message": "Invalid Form Body", "code": 50035}, 400)
            case Behaviour.DEFER:
                return answer({"message": "Service Unavailable", "code": 0}, 503)
            case Behaviour.THROTTLE:
                limited = {"message": "You are being rate limited.", "retry_after": 0.64, "global": False}
                return answer(limited, 429)
            case _ if request.query.get("wait") != "true":
                return web.Response(status=204)
            case _:
                return answer({"id": simulator.reference(), "type": 0, "content": content})

    return routes(("POST", "/webhooks/{hook}", execute))


def teams(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; the hook named `gone` is a workflow that was deleted."""

    async def invoke(request: web.Request) -> web.Response:
        document = await json_of(request)
        if request.match_info["hook"] == "gone":
            return answer({"error": {"code": "WorkflowNotFound", "message": "not found"}}, 404)
        if request.content_length and request.content_length > TEAMS_MAX:
            return web.Response(status=413)
        kinds = {each.get("contentType") for each in document.get("attachments", [])}
        if document.get("type") != "message" or kinds != {"application/vnd.microsoft.card.adaptive"}:
            return answer({"error": {"code": "InvalidRequest", "message": "invalid"}}, 400)
        match await _taken(simulator, request, document):
            case Behaviour.REFUSE:
                return answer({"error": {"code": "TriggerInputSchemaMismatch", "message": "invalid"}}, 400)
            case Behaviour.DEFER:
                return web.Response(status=502)
            case Behaviour.THROTTLE:
                return web.Response(status=429, headers={"Retry-After": "1"})
            case _:
                return web.Response(status=202)

    return routes(("POST", "/workflows/{hook}", invoke))


async def _taken(simulator: Simulator, request: web.Request, document: Json) -> Behaviour:
    [behaviour] = await simulator.take([Got(address=request.match_info["hook"], document=document)])
    return behaviour
