"""Push by Apple: `POST /3/device/{token}` over HTTP/2, many calls at a time over one connection.

https://developer.apple.com/documentation/usernotifications/sending-notification-requests-to-apns.  The
address is the device's token in hexadecimal.
"""

import hashlib
import ssl
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar, Literal
from urllib.parse import quote

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from msgspec import Meta

from adapters.providers.kit.error_kinds import ErrorKind
from adapters.providers.kit.http import (
    HttpAnswer,
    HttpSettings,
    NoAnswer,
    Unsent,
    error_outcome,
    not_answered,
)
from adapters.providers.kit.http2 import Http2Calls
from adapters.providers.kit.push import app_data, dead_token, push_parts, too_large, without_empty
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.channel.parts import PushParts
from domain.device.device import PushService
from domain.kernel.bounds import Count
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome

URLS = {
    "production": "https://api.push.apple.com",
    "sandbox": "https://api.sandbox.push.apple.com",
}
SIZE_MAX = 4096
RENEWED_AFTER = 40 * 60.0
"""Seconds: Apple wants a new token every 20 to 60 minutes."""
RENEWED_AT_MOST = 20 * 60.0
"""Seconds: a younger one is not replaced, whatever Apple says of it."""

REASONS: Mapping[str, ErrorKind] = {
    "BadDeviceToken": ErrorKind.RECIPIENT,  # malformed, or of the other environment
    "DeviceTokenNotForTopic": ErrorKind.RECIPIENT,  # of another app
    "ExpiredToken": ErrorKind.RECIPIENT,
    "Unregistered": ErrorKind.RECIPIENT,
    "BadTopic": ErrorKind.ACCOUNT,
    "MissingTopic": ErrorKind.ACCOUNT,
    "TopicDisallowed": ErrorKind.ACCOUNT,
    "BadPath": ErrorKind.REQUEST,
    "IdleTimeout": ErrorKind.TEMPORARY,
    "ExpiredProviderToken": ErrorKind.TEMPORARY,  # the next call has a new one
    "TooManyProviderTokenUpdates": ErrorKind.THROTTLED,
    "TooManyRequests": ErrorKind.THROTTLED,  # to this device
    "InternalServerError": ErrorKind.TEMPORARY,
    "ServiceUnavailable": ErrorKind.TEMPORARY,
    "Shutdown": ErrorKind.TEMPORARY,
}
"""https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns; of
all others the status decides: 400, 405 and 413 are our request's fault, 403 our account's."""


class ApnsSettings(HttpSettings, frozen=True, tag="apns"):
    """Push by Apple's push notification service."""

    capabilities: ClassVar = Capabilities(
        channels=("push",), push_services=("apns", "apns_sandbox"), size_max=SIZE_MAX
    )

    key: Annotated[Secret | None, Meta(description="the `.p8` file of a key for APNs, as it stands")] = None
    key_id: Annotated[str | None, Meta(description="ID of the key, ten characters")] = None
    team: Annotated[str | None, Meta(description="ID of the team, ten characters")] = None
    topic: Annotated[str | None, Meta(description="bundle ID of the app")] = None
    environment: Annotated[
        Literal["production", "sandbox"], Meta(description="where the app's tokens come from")
    ] = "production"
    pool: Annotated[Count, Meta(description="calls of one process at a time, over one connection")] = 100

    def gateway(self, context: ProviderContext) -> "ApnsGateway":
        """See `ProviderSettings`."""
        return ApnsGateway(self, context.clock)

    @property
    def push_services(self) -> frozenset[str]:
        """Tokens of one environment mean nothing in the other."""
        return frozenset({PushService.APNS if self.environment == "production" else PushService.APNS_SANDBOX})

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        for name in ("key", "key_id", "team", "topic"):
            if getattr(self, name) is None:
                yield name, "is not set: APNs takes no message without one"
        try:
            _signing_key(self)
        except Misconfigured as fault:
            yield "key", str(fault)


class ApnsGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: ApnsSettings, clock: Clock, tls: ssl.SSLContext | None = None) -> None:
        """Nothing is connected yet.

        Args:
            tls: None: the system's certificates.

        Raises:
            Misconfigured: the key cannot be read.
        """
        self._settings = settings
        self._clock = clock
        self._proven = False
        self._key = _signing_key(settings)
        self._token, self._since = "", 0.0
        self._url = settings.url or URLS[settings.environment]
        self._calls = Http2Calls(settings, tls)

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is the `apns-id`, which is our delivery's id."""
        if self._key is None:
            return AccountFault("no key is set")
        parts = push_parts(message)
        if not isinstance(parts, PushParts):
            return parts
        body = _payload(message, parts)
        if refusal := too_large(len(body), SIZE_MAX):
            return refusal
        token = self._authorization(self._key)
        headers = {"authorization": f"bearer {token}", **self._headers(message, parts)}
        try:
            answer = await self._calls.post(
                f"{self._url}/3/device/{quote(message.address, safe='')}", headers, body
            )
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        return self._outcome(answer, message, token)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._calls.aclose()

    def _authorization(self, key: EllipticCurvePrivateKey) -> str:
        """One token for all calls."""
        now = self._clock.monotonic()
        if not self._token or now - self._since >= RENEWED_AFTER:
            claims = {"iss": self._settings.team or "", "iat": int(self._clock.now().timestamp())}
            self._token = jwt.encode(claims, key, "ES256", headers={"kid": self._settings.key_id})
            self._since = now
        return self._token

    def _headers(self, message: OutboundMessage, parts: PushParts) -> dict[str, str]:
        headers = {
            "apns-topic": self._settings.topic or "",
            "apns-push-type": "alert",
            "apns-id": str(message.delivery),
        }
        if parts.urgency is not None:
            headers["apns-priority"] = "10" if parts.urgency == "high" else "5"
        if parts.ttl is not None:
            until = self._clock.now() + max(parts.ttl, timedelta())
            headers["apns-expiration"] = str(int(until.timestamp())) if parts.ttl > timedelta() else "0"
        if parts.collapse_key is not None:
            headers["apns-collapse-id"] = _header_text(parts.collapse_key)
        return headers

    def _outcome(self, answer: HttpAnswer, message: OutboundMessage, token: str) -> Outcome:
        if answer.status == 200:
            self._proven = True
            return Accepted(answer.headers.get("apns-id") or str(message.delivery))
        said = answer.json()
        reason = said.get("reason") if isinstance(said, dict) else None
        fault = REASONS.get(reason) if isinstance(reason, str) else None
        if reason == "ExpiredProviderToken":
            return self._expired(token)
        outcome = error_outcome(answer, self._clock.now(), fault, code=reason)
        if not isinstance(reason, str):
            return outcome
        since = said.get("timestamp")
        return dead_token(outcome, "apns", answer.status, reason, proven=self._proven, since=since)

    def _expired(self, token: str) -> Outcome:
        if token == self._token:
            if self._clock.monotonic() - self._since < RENEWED_AT_MOST:
                return AccountFault("403 ExpiredProviderToken, though it is new: is the clock right?")
            self._token = ""
        return Deferred(
            "403 ExpiredProviderToken, and the next call has a new one", timedelta(), examined=False
        )


def _payload(message: OutboundMessage, parts: PushParts) -> bytes:
    aps = {
        "alert": {"title": message.subject, "body": message.body},
        "badge": parts.badge,
        "sound": parts.sound,
        "mutable-content": 1 if parts.image else None,  # the app's extension fetches `image`
    }
    image = {} if parts.image is None else {"image": parts.image}
    return msgspec.json.encode({"aps": without_empty(aps), **image, **app_data(message, parts)})


def _header_text(key: str) -> str:
    """A collapse key as a header takes it: at most 64 bytes."""
    return key if key.isascii() and key.isprintable() else hashlib.sha256(key.encode()).hexdigest()


def _signing_key(settings: ApnsSettings) -> EllipticCurvePrivateKey | None:
    if settings.key is None:
        return None
    try:
        key = load_pem_private_key(settings.key.reveal().encode(), password=None)
    except (ValueError, TypeError):
        raise Misconfigured("is not what a .p8 file contains") from None
    if not isinstance(key, EllipticCurvePrivateKey) or not isinstance(key.curve, SECP256R1):
        raise Misconfigured("has a private key that is not of P-256")
    return key
