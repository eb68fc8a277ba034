"""Text messages by Vonage: `POST /v1/messages`, https://developer.vonage.com/en/api/messages.

Calls are signed as an application (a JWT, RS256) or made with key and secret.  Our delivery and its attempt
are `client_ref`, which every status gives back.  What error codes mean: `CODES`.
"""

import secrets
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, ClassVar
from uuid import UUID

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
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
from adapters.providers.kit.requests import JSON, basic_auth, client_reference, present
from adapters.providers.kit.settings import ProviderContext
from adapters.providers.kit.sms import SmsSettings, text_of
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.kernel.errors import Misconfigured
from domain.kernel.json_values import Json
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Outcome, Refused

URL = "https://api.nexmo.com"
CODES: Mapping[str, ErrorKind] = {
    "1000": ErrorKind.THROTTLED,
    "1010": ErrorKind.REQUEST,  # something is missing
    "1020": ErrorKind.REQUEST,  # something is invalid
    "1030": ErrorKind.TEMPORARY,
    "1060": ErrorKind.ACCOUNT,  # suspended
    "1070": ErrorKind.ACCOUNT,  # no credit
    "1080": ErrorKind.ACCOUNT,  # more connections than the account has
    "1120": ErrorKind.UNREACHABLE,  # not a sender for this country
    "1140": ErrorKind.ACCOUNT,
    "1160": ErrorKind.ACCOUNT,
    "1170": ErrorKind.RECIPIENT,  # no phone number
    "1240": ErrorKind.UNSUBSCRIBED,
    "1241": ErrorKind.THROTTLED,
    "1331": ErrorKind.TEMPORARY,
    "1430": ErrorKind.RECIPIENT,
    "account-suspended": ErrorKind.ACCOUNT,
    "forbidden": ErrorKind.ACCOUNT,
    "invalid-api-key": ErrorKind.ACCOUNT,
    "invalid-signature": ErrorKind.ACCOUNT,
    "jwt-expired": ErrorKind.ACCOUNT,
    "jwt-revoked": ErrorKind.ACCOUNT,
    "low-balance": ErrorKind.ACCOUNT,
    "unauthorized": ErrorKind.ACCOUNT,
    "unprovisioned": ErrorKind.ACCOUNT,
}
"""By what stands behind the # of an error's `type`: https://developer.vonage.com/en/api-errors/messages"""

TOKEN_LIFE = timedelta(minutes=15)
TOKEN_RENEWAL = timedelta(minutes=5)
"""Before its end a token is replaced."""


class VonageSettings(SmsSettings, frozen=True, tag="vonage"):
    """Text messages by Vonage."""

    capabilities: ClassVar = Capabilities(channels=("sms",), receipts=True)

    application: Annotated[str | None, Meta(description="application id; needs `private_key`")] = None
    private_key: Annotated[Secret | None, Meta(description="the application's private key, PEM")] = None
    key: Annotated[str | None, Meta(description="API key, where there is no application")] = None
    secret: Annotated[Secret | None, Meta(description="API secret of `key`")] = None

    def gateway(self, context: ProviderContext) -> "VonageGateway":
        """See `ProviderSettings`."""
        return VonageGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if self.application is None and self.key is None:
            yield "application", "is not set: give it with `private_key`, or `key` with `secret`"
        if self.application is not None and self.private_key is None:
            yield "private_key", "is not set: an application signs with it"
        if self.key is not None and self.secret is None:
            yield "secret", "is not set: `key` needs it"
        if self.sender is None:
            yield "from", "is not set: Vonage takes no message without one"


class VonageGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: VonageSettings, clock: Clock) -> None:
        """Nothing is connected yet.

        Raises:
            Misconfigured: the private key is none.
        """
        self._settings = settings
        self._clock = clock
        self._calls = HttpCalls(settings, headers=JSON)
        self._tokens = None
        if settings.application is not None and settings.private_key is not None:
            self._tokens = _Tokens(settings.application, settings.private_key)
        self._basic = basic_auth(settings.key or "", settings.secret)

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is Vonage's message_uuid."""
        text = text_of(message)
        if isinstance(text, Refused):
            return text
        auth = self._tokens.header(self._clock.now()) if self._tokens else self._basic
        body = msgspec.json.encode(self._document(message, text))
        try:
            answer = await self._calls.call(
                "POST", f"{self._settings.url or URL}/v1/messages", headers=auth, body=body
            )
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        return self._outcome(answer, answer.json())

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    def _document(self, message: OutboundMessage, text: str) -> dict[str, Json]:
        known = self._settings
        return present(
            {
                "message_type": "text",
                "channel": "sms",
                "to": message.address.removeprefix("+"),
                "from": (known.sender or "").removeprefix("+"),
                "text": text,
                "client_ref": client_reference(message),
                "webhook_url": known.callback,
                "webhook_version": known.callback and "v1",
            }
        )

    def _outcome(self, answer: HttpAnswer, said: Json) -> Outcome:
        known = said if isinstance(said, dict) else {}
        if answer.successful:
            reference = known.get("message_uuid")
            return Accepted(str(reference)) if reference else no_reference(answer)
        code = str(known.get("type") or "").rpartition("#")[2]
        fault = CODES.get(code)
        return error_outcome(
            answer, self._clock.now(), fault, code=code if fault else None, words=known.get("title")
        )


class _Tokens:
    """Signs for an application; a token serves many calls."""

    def __init__(self, application: str, private_key: Secret) -> None:
        """
        Raises:
            Misconfigured: the key is none.
        """
        try:
            key = load_pem_private_key(private_key.reveal().encode(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, RSAPrivateKey):
            raise Misconfigured("private_key of a Vonage account is no private RSA key in PEM")
        self._key = key
        self._application = application
        self._header: dict[str, str] = {}
        self._until: datetime | None = None

    def header(self, now: datetime) -> dict[str, str]:
        """The header of calls."""
        if self._until is None or not timedelta() <= self._until - now <= TOKEN_LIFE:
            claims = {
                "application_id": self._application,
                "iat": int(now.timestamp()),
                "exp": int((now + TOKEN_LIFE).timestamp()),
                "jti": str(UUID(bytes=secrets.token_bytes(16), version=4)),
            }
            self._header = {"Authorization": f"Bearer {jwt.encode(claims, self._key, algorithm='RS256')}"}
            self._until = now + TOKEN_LIFE - TOKEN_RENEWAL
        return self._header
