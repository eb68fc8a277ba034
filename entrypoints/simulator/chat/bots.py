"""Messages to one person or channel: WhatsApp's Cloud API, Telegram's bots, Slack's `chat.postMessage`."""

from itertools import count
from uuid import UUID

from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, json_of, routes

TEXT_MAX = 4_096
BAD = "bad"
"""A token that is wrong; any other one is good."""


def whatsapp(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes."""

    async def messages(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") in (None, f"Bearer {BAD}"):
            return _meta(401, 190, "Invalid OAuth access token")
        document = await json_of(request)
        kind = document.get("type", "text")
        content = document.get(kind)
        empty = kind == "text" and not (content or {}).get("body")
        if document.get("messaging_product") != "whatsapp" or not content or empty:
            return _meta(400, 100, "Invalid parameter")
        if kind == "text" and len(content["body"]) > TEXT_MAX:
            return _meta(400, 100, "Param text['body'] must be at most 4096 characters long")
        delivery, _, attempt = document.get("biz_opaque_callback_data", "").partition(":")
        got = Got(
            address=document["to"],
            delivery=UUID(delivery) if attempt else None,
            attempt=int(attempt or 1),
            document=document,
        )
        [behaviour] = await simulator.take([got])
        match behaviour:
            case Behaviour.REFUSE:
                return _meta(400, 131026, "Message undeliverable")
            case Behaviour.DEFER:
                return _meta(500, 131016, "Service unavailable")
            case Behaviour.THROTTLE:
                return _meta(400, 131056, "Pair rate limit hit")
            case _:
                number = document["to"].removeprefix("+")
                return answer(
                    {
                        "messaging_product": "whatsapp",
                        "contacts": [{"input": document["to"], "wa_id": number}],
                        "messages": [{"id": f"wamid.{simulator.reference()}"}],
                    }
                )

    return routes(("POST", "/{phone}/messages", messages))


def _meta(status: int, code: int, message: str) -> web.Response:
    return answer(
        {"error": {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code}}, status
    )


def telegram(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes."""
    numbers = count(1)

    async def send(request: web.Request) -> web.Response:
        if request.match_info["token"] == BAD:
            return _bot(401, "Unauthorized")
        document: Json = (
            await json_of(request) if "json" in request.content_type else dict(await request.post())
        )
        text = document.get("text", "")
        if not text:
            return _bot(400, "Bad Request: message text is empty")
        if len(text) > TEXT_MAX:
            return _bot(400, "Bad Request: message is too long")
        [behaviour] = await simulator.take([Got(address=str(document["chat_id"]), document=document)])
        match behaviour:
            case Behaviour.REFUSE:
                return _bot(400, "Bad Request: chat not found")
            case Behaviour.DEFER:
                return _bot(500, "Internal Server Error")
            case Behaviour.THROTTLE:
                limited = {"parameters": {"retry_after": 1}}
                return _bot(429, "Too Many Requests: retry after 1", limited)
            case _:
                chat = {"id": 1, "type": "private"}
                result = {"message_id": next(numbers), "date": 1, "chat": chat, "text": text}
                return answer({"ok": True, "result": result})

    return routes(("POST", "/bot{token}/sendMessage", send))


def _bot(status: int, description: str, more: dict[str, Json] | None = None) -> web.Response:
    known = {"ok": False, "error_code": status, "description": description}
    return answer(known | (more or {}), status)


def slack_bot(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; an error is an answer with status 200."""

    async def post(request: web.Request) -> web.Response:
        if request.headers.get("Authorization") in (None, f"Bearer {BAD}"):
            return answer({"ok": False, "error": "invalid_auth"})
        document = await json_of(request)
        if not (document.get("text") or document.get("blocks")):
            return answer({"ok": False, "error": "no_text"})
        [behaviour] = await simulator.take([Got(address=document["channel"], document=document)])
        match behaviour:
            case Behaviour.REFUSE:
                return answer({"ok": False, "error": "channel_not_found"})
            case Behaviour.DEFER:
                return answer({"ok": False, "error": "internal_error"})
            case Behaviour.THROTTLE:
                return answer({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": "1"})
            case _:
                return answer({"ok": True, "channel": document["channel"], "ts": simulator.reference()})

    return routes(("POST", "/chat.postMessage", post))
