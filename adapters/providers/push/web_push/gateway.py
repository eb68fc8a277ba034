"""Push to browsers: `POST` to the endpoint of a subscription, https://www.rfc-editor.org/rfc/rfc8030.

The address is the subscription as browsers write it: `{"endpoint": …, "keys": {"p256dh": …, "auth": …}}`.
Its endpoint comes from outside, so it is called within the public internet only.  The service worker gets
JSON: `title`, `body`, `image`, `link`, `badge`, `sound` and `data`, as far as they are there.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
from msgspec import Meta

from adapters.http.egress import Egress, networks_of
from adapters.providers.kit.error_kinds import ErrorKind, kind_of_status
from adapters.providers.kit.http import (
    HttpAnswer,
    HttpCalls,
    HttpSettings,
    NoAnswer,
    Unsent,
    error_outcome,
    not_answered,
)
from adapters.providers.kit.push import app_data, dead_token, push_parts, too_large, without_empty
from adapters.providers.kit.settings import ProviderContext
from adapters.providers.push.web_push.encryption import AUTH_BYTES, TEXT_MAX, encrypt, public_key
from adapters.providers.push.web_push.vapid import Vapid, decoded, encoded, signing_key
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.channel.parts import PushParts
from domain.kernel.bounds import Count
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, AccountFault, Outcome, Refused

TTL = timedelta(weeks=4)
"""The longest that services keep a message; they take no call without one."""
TOPIC_MAX = 32
ENDPOINT_MAX, REFERENCE_MAX = 2000, 500
STATUSES: Mapping[int, ErrorKind] = {
    404: ErrorKind.RECIPIENT,  # the subscription is gone
    410: ErrorKind.RECIPIENT,
    401: ErrorKind.UNREACHABLE,  # our token; or the subscription was made for another key
    403: ErrorKind.UNREACHABLE,
}
"""https://www.rfc-editor.org/rfc/rfc8030#section-7.3, https://www.rfc-editor.org/rfc/rfc8292#section-4.2.

One service that refuses our key does not prove that the others do, too.
"""


class WebPushSettings(HttpSettings, frozen=True, tag="web_push"):
    """Push to browsers by Web Push."""

    capabilities: ClassVar = Capabilities(channels=("push",), push_services=("web_push",), size_max=TEXT_MAX)

    key: Annotated[
        Secret | None, Meta(description="private VAPID key of P-256: PEM, or its 32 bytes in base64url")
    ] = None
    contact: Annotated[
        str | None, Meta(description="`mailto:` or `https:` URL: whom a push service may turn to")
    ] = None
    per_host: Annotated[
        Count, Meta(description="calls to one push service at a time; fewer than `pool`, for the others")
    ] = 15
    networks: Annotated[
        tuple[str, ...], Meta(description="networks that endpoints may lead to though they are not public")
    ] = ()

    def gateway(self, context: ProviderContext) -> "WebPushGateway":
        """See `ProviderSettings`."""
        return WebPushGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if self.url is not None:
            yield "url", "has no meaning: every subscription names its own"
        if self.key is None:
            yield "key", "is not set: browsers take no message without one"
        if self.contact is not None and not self.contact.startswith(("mailto:", "https://")):
            yield "contact", "is no `mailto:` or `https:` URL"
        for name, check in (
            ("key", _vapid_key),
            ("networks", lambda settings: networks_of(settings.networks)),
        ):
            try:
                check(self)
            except Misconfigured as fault:
                yield name, str(fault)


class BrowserKeys(msgspec.Struct, frozen=True):
    """Both base64url."""

    p256dh: str
    auth: str


class BrowserSubscription(msgspec.Struct, frozen=True):
    """Where a browser is reached, and for whom it decrypts."""

    endpoint: Annotated[str, Meta(max_length=ENDPOINT_MAX)]
    keys: BrowserKeys


class WebPushGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: WebPushSettings, clock: Clock) -> None:
        """Nothing is connected yet.

        Raises:
            Misconfigured: the key or a network cannot be read.
        """
        self._clock = clock
        key, networks = _vapid_key(settings), networks_of(settings.networks)
        self._vapid = None if key is None else Vapid(key, settings.contact, clock)
        self._calls = {
            scheme: HttpCalls(
                settings,
                egress=Egress(secure=scheme == "https", networks=networks),
                per_host=settings.per_host,
            )
            for scheme in ("https", "http")
        }

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is the message's own URL, if the service gives one."""
        if self._vapid is None:
            return AccountFault("no key is set")
        parts, found = push_parts(message), _subscription(message.address)
        if isinstance(parts, Refused):
            return parts
        if isinstance(found, Refused):
            return found
        endpoint, browser, auth = found
        text = _text(message, parts)
        if refusal := too_large(len(text), TEXT_MAX):
            return refusal
        where = urlsplit(endpoint)
        headers = {
            **_headers(parts),
            "Authorization": self._vapid.authorization(f"{where.scheme}://{where.netloc}"),
        }
        try:
            answer = await self._calls[where.scheme].call(
                "POST", endpoint, headers=headers, body=encrypt(text, browser, auth)
            )
        except (Unsent, NoAnswer) as error:
            return not_answered(error)
        return self._outcome(answer, message)

    async def aclose(self) -> None:
        """Close the connections."""
        for calls in self._calls.values():
            await calls.aclose()

    def _outcome(self, answer: HttpAnswer, message: OutboundMessage) -> Outcome:
        if answer.successful:
            location = answer.headers.get("Location", "")
            return Accepted(location if 0 < len(location) <= REFERENCE_MAX else str(message.delivery))
        fault = STATUSES.get(answer.status) or kind_of_status(answer.status)
        if fault is ErrorKind.ACCOUNT:  # said by whoever the endpoint belongs to
            fault = ErrorKind.UNREACHABLE
        outcome = error_outcome(answer, self._clock.now(), fault)
        return dead_token(outcome, "web_push", answer.status, None, proven=False)


def _text(message: OutboundMessage, parts: PushParts) -> bytes:
    content = {
        "title": message.subject,
        "body": message.body,
        "image": parts.image,
        "link": parts.link,
        "badge": parts.badge,
        "sound": parts.sound,
        "data": app_data(message, parts),
    }
    return msgspec.json.encode(without_empty(content))


def _headers(parts: PushParts) -> dict[str, str]:
    headers = {
        "Content-Type": "application/octet-stream",
        "Content-Encoding": "aes128gcm",
        "TTL": str(max(0, int((TTL if parts.ttl is None else parts.ttl).total_seconds()))),
    }
    if parts.urgency is not None:
        headers["Urgency"] = parts.urgency
    if parts.collapse_key is not None:  # a topic has up to 32 characters of base64url, a key has any
        headers["Topic"] = encoded(hashlib.sha256(parts.collapse_key.encode()).digest())[:TOPIC_MAX]
    return headers


def _subscription(address: str) -> tuple[str, EllipticCurvePublicKey, bytes] | Refused:
    """Endpoint, key and secret of a subscription; what is none reaches nobody, ever."""
    try:
        found = msgspec.json.decode(address, type=BrowserSubscription)
        where, auth = urlsplit(found.endpoint), decoded(found.keys.auth)
        browser = public_key(decoded(found.keys.p256dh))
    except (msgspec.DecodeError, ValueError):
        return Refused("the address is no subscription", examined=False)
    if (
        where.scheme not in {"https", "http"}
        or not where.hostname
        or where.username
        or len(auth) != AUTH_BYTES
    ):
        return Refused("the address is no subscription", examined=False)
    return found.endpoint, browser, auth


def _vapid_key(settings: WebPushSettings) -> EllipticCurvePrivateKey | None:
    try:
        return None if settings.key is None else signing_key(settings.key.reveal())
    except ValueError as error:
        raise Misconfigured(f"is no private key of P-256: {error}") from None
