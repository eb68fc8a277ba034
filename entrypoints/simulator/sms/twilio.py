"""Twilio: `POST /2010-04-01/Accounts/{account}/Messages.json`.

Our delivery's id is in the query of StatusCallback.
"""

from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, basic_of, routes

BAD_TOKEN = "bad"  # noqa: S105  what is refused here
BODY_MAX = 1_600
_ERRORS: Mapping[Behaviour, tuple[int, int, str]] = {
    Behaviour.REFUSE: (400, 21211, "The 'To' number {} is not a valid phone number."),
    Behaviour.DEFER: (503, 20503, "Service unavailable"),
    Behaviour.THROTTLE: (429, 20429, "Too Many Requests"),
}


def twilio(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any token is good but the one named `bad`."""

    async def create(request: web.Request) -> web.Response:
        if basic_of(request)[1] == BAD_TOKEN:
            return _error(401, 20003, "Authenticate")
        form = {name: str(value) for name, value in (await request.post()).items()}
        if not form.get("To"):
            return _error(400, 21604, "A 'To' phone number is required.")
        if not (form.get("From") or form.get("MessagingServiceSid")):
            return _error(400, 21603, "A 'From' phone number is required.")
        if not form.get("Body"):
            return _error(400, 21602, "Message body is required.")
        if len(form["Body"]) > BODY_MAX:
            return _error(400, 21617, "The concatenated message body exceeds the 1600 character limit.")
        [behaviour] = await simulator.take([_got(form)])
        if behaviour in _ERRORS:
            status, code, words = _ERRORS[behaviour]
            return _error(status, code, words.format(form["To"]))
        return answer(_message(request.match_info["account"], simulator.reference(), form), 201)

    return routes(("POST", "/2010-04-01/Accounts/{account}/Messages.json", create))


def _got(form: dict[str, str]) -> Got:
    query = parse_qs(urlsplit(form.get("StatusCallback", "")).query)
    delivery = query.get("posthorn_delivery")
    return Got(
        address=form["To"],
        delivery=UUID(delivery[0]) if delivery else None,
        attempt=int(query.get("posthorn_attempt", ["1"])[0]),
        document=form,
    )


def _message(account: str, reference: str, form: dict[str, str]) -> dict[str, Json]:
    sid = f"SM{reference.replace('-', '')}"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": form["Body"],
        "date_created": "Sun, 01 Nov 2026 00:00:00 +0000",
        "date_sent": None,
        "date_updated": "Sun, 01 Nov 2026 00:00:00 +0000",
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": form.get("From"),
        "messaging_service_sid": form.get("MessagingServiceSid"),
        "num_media": "0",
        "num_segments": "0" if "MessagingServiceSid" in form else "1",
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "accepted" if "MessagingServiceSid" in form else "queued",
        "subresource_uris": {"media": f"/2010-04-01/Accounts/{account}/Messages/{sid}/Media.json"},
        "to": form["To"],
        "uri": f"/2010-04-01/Accounts/{account}/Messages/{sid}.json",
    }


def _error(status: int, code: int, words: str) -> web.Response:
    about = f"https://www.twilio.com/docs/errors/{code}"
    headers = {"Retry-After": "1"} if status == 429 else None
    return answer({"code": code, "message": words, "more_info": about, "status": status}, status, headers)
