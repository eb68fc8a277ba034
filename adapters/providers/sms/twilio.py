"""Text messages by Twilio: `POST …/Messages.json`, https://www.twilio.com/docs/messaging/api/message-resource.

No message field comes back in its status callbacks, so our delivery's id is in the query of the callback's
URL, which Twilio signs.  What error codes mean: `CODES`.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from msgspec import Meta

from adapters.providers.kit.error_kinds import ErrorKind
from adapters.providers.kit.http import (
    HttpAnswer,
    HttpCalls,
    NoAnswer,
    Unsent,
    error_outcome,
    no_reference,
    not_answered,
)
from adapters.providers.kit.requests import FORM, basic_auth, correlation, form, with_query
from adapters.providers.kit.settings import ProviderContext
from adapters.providers.kit.sms import SmsSettings, text_of
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.kernel.json_values import Json
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Outcome, Refused

URL = "https://api.twilio.com"
CODES: Mapping[int, ErrorKind] = {
    14107: ErrorKind.THROTTLED,
    20003: ErrorKind.ACCOUNT,  # the credentials are wrong
    20005: ErrorKind.ACCOUNT,  # the account is not active
    20404: ErrorKind.ACCOUNT,  # no such account
    20429: ErrorKind.THROTTLED,
    20500: ErrorKind.TEMPORARY,
    20503: ErrorKind.TEMPORARY,
    21211: ErrorKind.RECIPIENT,  # no phone number
    21408: ErrorKind.UNREACHABLE,  # the account may not send to this country
    21602: ErrorKind.REQUEST,  # no text
    21603: ErrorKind.ACCOUNT,  # no sender
    21604: ErrorKind.REQUEST,
    21606: ErrorKind.UNREACHABLE,  # the sender is none of the account, or cannot send to this country
    21607: ErrorKind.ACCOUNT,
    21608: ErrorKind.UNREACHABLE,  # a trial account sends to verified numbers only
    21610: ErrorKind.UNSUBSCRIBED,  # the recipient has answered STOP
    21611: ErrorKind.THROTTLED,  # the sender's queue is full
    21612: ErrorKind.RECIPIENT,  # no way from this sender to this number
    21614: ErrorKind.RECIPIENT,  # no mobile number
    21617: ErrorKind.REQUEST,  # more than 1,600 characters
    21635: ErrorKind.RECIPIENT,  # a landline
    21659: ErrorKind.UNREACHABLE,  # as 21606
    21703: ErrorKind.ACCOUNT,  # the messaging service has no number that can send
    21704: ErrorKind.ACCOUNT,  # the messaging service has no number
    21705: ErrorKind.ACCOUNT,  # no such messaging service
}
"""https://www.twilio.com/docs/api/errors"""


class TwilioSettings(SmsSettings, frozen=True, tag="twilio"):
    """Text messages by Twilio."""

    capabilities: ClassVar = Capabilities(channels=("sms",), receipts=True)

    account: Annotated[str, Meta(description="account SID, `AC…`")] = ""
    token: Annotated[Secret | None, Meta(description="auth token, or the secret of `key`")] = None
    key: Annotated[
        str | None, Meta(description="SID of an API key, `SK…`; none: `token` is the account's")
    ] = None
    service: Annotated[
        str | None, Meta(description="SID of a messaging service, `MG…`, that has the senders")
    ] = None

    def gateway(self, context: ProviderContext) -> "TwilioGateway":
        """See `ProviderSettings`."""
        return TwilioGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if not self.account:
            yield "account", "is not set: Twilio's URLs name the account"
        if self.token is None:
            yield "token", "is not set: Twilio takes no message without one"
        if self.sender is None and self.service is None:
            yield "from", "is not set: give it, or a messaging service as `service`"


class TwilioGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: TwilioSettings, clock: Clock) -> None:
        """Nothing is connected yet."""
        self._settings = settings
        self._clock = clock
        self._url = f"{settings.url or URL}/2010-04-01/Accounts/{settings.account}/Messages.json"
        auth = basic_auth(settings.key or settings.account, settings.token)
        self._calls = HttpCalls(settings, headers={**FORM, **auth})

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is Twilio's message SID."""
        text = text_of(message)
        if isinstance(text, Refused):
            return text
        try:
            answer = await self._calls.call("POST", self._url, body=form(self._fields(message, text)))
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        return self._outcome(answer, answer.json())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    def _fields(self, message: OutboundMessage, text: str) -> dict[str, str | None]:
        known = self._settings
        return {
            "To": message.address,
            "From": known.sender,
            "MessagingServiceSid": known.service,
            "Body": text,
            "StatusCallback": known.callback and with_query(known.callback, correlation(message)),
        }

    def _outcome(self, answer: HttpAnswer, said: Json) -> Outcome:
        known = said if isinstance(said, dict) else {}
        if answer.successful:
            reference = known.get("sid")
            return Accepted(str(reference)) if reference else no_reference(answer)
        code = known.get("code")
        fault = CODES.get(code) if isinstance(code, int) else None
        return error_outcome(answer, self._clock.now(), fault, code=code, words=known.get("message"))
