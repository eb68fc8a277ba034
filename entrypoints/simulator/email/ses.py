"""Amazon SES, API v2: `SendEmail` and `SendBulkEmail` with the template in the call.

The signature is looked at, not checked: tests/peers has what does.
"""

from uuid import UUID

import msgspec
from aiohttp import web

from domain.kernel.json_values import Json
from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, answer, json_of, routes

BAD_KEY = "Credential=bad/"
BULK_MAX = 50
DATA_MAX = 262_144


def ses(simulator: Simulator) -> list[web.RouteDef]:
    """Its routes; any access key is good but the one named `bad`."""

    async def single(request: web.Request) -> web.Response:
        if (refusal := _unauthorised(request)) is not None:
            return refusal
        document = await json_of(request)
        [behaviour] = await simulator.take([_got(document, document["EmailTags"])])
        match behaviour:
            case Behaviour.REFUSE:
                return _error(400, "BadRequestException", "Invalid email address.")
            case Behaviour.THROTTLE:
                return _error(429, "TooManyRequestsException", "Maximum sending rate exceeded.")
            case Behaviour.DEFER:
                return _error(503, "ServiceUnavailable", "The request has failed.")
            case _:
                return answer({"MessageId": simulator.reference()})

    async def bulk(request: web.Request) -> web.Response:
        if (refusal := _unauthorised(request)) is not None:
            return refusal
        document = await json_of(request)
        entries = document["BulkEmailEntries"]
        if not entries or len(entries) > BULK_MAX:
            return _error(400, "BadRequestException", "Too many entries.")
        if any(len(_data(each)) > DATA_MAX for each in entries):
            return _error(400, "BadRequestException", "Template data is too long.")
        got = [_got(_filled(document, each), each["ReplacementTags"]) for each in entries]
        behaviours = await simulator.take(got)
        return answer({"BulkEmailEntryResults": [_entry(simulator, each) for each in behaviours]})

    return routes(
        ("POST", "/v2/email/outbound-emails", single), ("POST", "/v2/email/outbound-bulk-emails", bulk)
    )


def _got(document: dict[str, Json], tags: list[dict[str, str]]) -> Got:
    ours = {each["Name"]: each["Value"] for each in tags}
    delivery = ours.get("posthorn_delivery")
    [to] = document["Destination"]["ToAddresses"]
    return Got(
        address=to.rpartition("<")[2].rstrip(">"),
        delivery=UUID(delivery) if delivery else None,
        attempt=int(ours.get("posthorn_attempt", 1)),
        document=document,
    )


def _filled(document: dict[str, Json], entry: dict[str, Json]) -> dict[str, Json]:
    """The entry with the template's parts filled in and what is said for all, as `SendEmail` has them."""
    content: dict[str, str] = document["DefaultContent"]["Template"]["TemplateContent"]
    shared = {"FromEmailAddress", "ReplyToAddresses"}
    common: dict[str, Json] = {name: said for name, said in document.items() if name in shared}
    data = msgspec.json.decode(_data(entry))
    parts = {part: {"Data": data[name.strip("{}")]} for part, name in content.items()}
    subject = parts.pop("Subject")
    return {**common, **entry, "Content": {"Simple": {"Subject": subject, "Body": parts}}}


def _data(entry: dict[str, Json]) -> str:
    return str(entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"])


def _entry(simulator: Simulator, behaviour: Behaviour) -> dict[str, str]:
    match behaviour:
        case Behaviour.REFUSE:
            return {"Status": "INVALID_PARAMETER", "Error": "Invalid email address."}
        case Behaviour.THROTTLE:
            return {"Status": "ACCOUNT_THROTTLED", "Error": "Maximum sending rate exceeded."}
        case Behaviour.DEFER:
            return {"Status": "TRANSIENT_FAILURE", "Error": "Try again."}
        case _:
            return {"Status": "SUCCESS", "MessageId": simulator.reference()}


def _unauthorised(request: web.Request) -> web.Response | None:
    proof = request.headers.get("Authorization", "")
    if not proof.startswith("AWS4-HMAC-SHA256 ") or BAD_KEY in proof:
        return _error(403, "UnrecognizedClientException", "The security token is invalid")
    return None


def _error(status: int, name: str, words: str) -> web.Response:
    return answer({"message": words}, status, {"x-amzn-ErrorType": f"{name}:http://internal.amazon.com/"})
