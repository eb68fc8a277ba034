"""Amazon SNS: `Publish` to a phone number.

Nothing of ours travels along, so attempts are counted: the same text to the same number is the next one.  The
signature is looked at, not checked: tests/peers has what does.
"""

from collections import Counter
from collections.abc import Mapping
from xml.sax.saxutils import escape

from aiohttp import web

from domain.provider.instruction import Behaviour
from entrypoints.simulator.kit import Got, Simulator, routes

BAD_KEY = "Credential=bad/"
TEXT_MAX = 1_600
_NAMESPACE = 'xmlns="http://sns.amazonaws.com/doc/2010-03-31/"'
_ERRORS: Mapping[Behaviour, tuple[int, str, str]] = {
    Behaviour.REFUSE: (400, "InvalidParameter", "Invalid parameter: PhoneNumber Reason: {} is not valid"),
    Behaviour.DEFER: (500, "InternalError", "An internal service error has occurred"),
    Behaviour.THROTTLE: (400, "Throttling", "Rate exceeded"),
}


def sns(simulator: Simulator) -> list[web.RouteDef]:
    """Its route; any access key is good but the one named `bad`."""
    attempts: Counter[tuple[str, str]] = Counter()

    async def publish(request: web.Request) -> web.Response:
        proof = request.headers.get("Authorization", "")
        if not proof.startswith("AWS4-HMAC-SHA256 ") or BAD_KEY in proof:
            return _error(403, "InvalidClientTokenId", "The security token is invalid.")
        form = {name: str(value) for name, value in (await request.post()).items()}
        number, text = form.get("PhoneNumber", ""), form.get("Message", "")
        if form.get("Action") != "Publish" or not number:
            return _error(400, "InvalidAction", "Could not find operation")
        if not text:
            return _error(400, "InvalidParameter", "Invalid parameter: Empty message")
        if len(text) > TEXT_MAX:
            return _error(400, "InvalidParameter", "Invalid parameter: Message too long")
        attempts[number, text] += 1
        [behaviour] = await simulator.take(
            [Got(address=number, attempt=attempts[number, text], document=form)]
        )
        if behaviour in _ERRORS:
            status, code, words = _ERRORS[behaviour]
            return _error(status, code, words.format(number))
        result = f"<PublishResult><MessageId>{simulator.reference()}</MessageId></PublishResult>"
        return _xml(f"<PublishResponse {_NAMESPACE}>{result}{_metadata(simulator)}</PublishResponse>")

    def _metadata(simulator: Simulator) -> str:
        return f"<ResponseMetadata><RequestId>{simulator.reference()}</RequestId></ResponseMetadata>"

    return routes(("POST", "/", publish))


def _error(status: int, code: str, words: str) -> web.Response:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(words)}</Message></Error>"
    return _xml(f"<ErrorResponse {_NAMESPACE}>{error}<RequestId>1</RequestId></ErrorResponse>", status)


def _xml(text: str, status: int = 200) -> web.Response:
    return web.Response(status=status, text=text, content_type="text/xml")
