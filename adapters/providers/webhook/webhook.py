"""Webhooks: a signed `POST` of a JSON document to an endpoint of the shop or of a user, by Standard Webhooks
1.0, https://www.standardwebhooks.com.

The address is the endpoint: a URL, or `{"url": …, "secrets": […]}` where it has secrets of its own, the
newest first.  It comes from outside, so it is called within the public internet only.  `webhook-id` is our
delivery's id, the same on every attempt: receivers tell by it what they have seen.

Endpoints belong to the recipients: what one of them does says nothing of the others.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Annotated, ClassVar
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

from adapters.http.egress import Egress, networks_of
from adapters.http.signatures import SigningKey, signed, signing_key
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
from adapters.providers.kit.requests import JSON
from adapters.providers.kit.settings import ProviderContext
from application.kernel.ports import Clock
from application.provider.ports import OutboundMessage
from domain.channel.parts import WebhookParts
from domain.kernel.bounds import Count
from domain.kernel.errors import Misconfigured
from domain.kernel.ids import time_of
from domain.kernel.secret import Secret
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown

DOCUMENT_MAX = 1024 * 1024
URL_MAX = 2_000
SECRETS_MAX = 5
ATTEMPT = "Posthorn-Attempt"
"""Our own header beside the standard's: 1 is the first."""
TOLERANCE = timedelta(minutes=5)
"""How old a timestamp may be to receivers, and so how long they remember ids at least."""
GONE = 410
"""The endpoint wants nothing any more."""
STATUSES: Mapping[int, ErrorKind] = {
    401: ErrorKind.TEMPORARY,
    402: ErrorKind.TEMPORARY,
    403: ErrorKind.TEMPORARY,
    404: ErrorKind.TEMPORARY,
    409: ErrorKind.TEMPORARY,
}
"""The standard wants anything but 2xx repeated; what is wrong with the document itself stays wrong."""


class WebhookSettings(HttpSettings, frozen=True, tag="webhook"):
    """Webhooks by Standard Webhooks."""

    capabilities: ClassVar = Capabilities(channels=("webhook",), idempotency=TOLERANCE, size_max=DOCUMENT_MAX)

    secret: Annotated[
        Secret | None,
        Meta(
            description="signs for endpoints without secrets of their own: `whsec_` and base64 of 24 to 64 "
            "random bytes, or `whsk_` and base64 of an Ed25519 key"
        ),
    ] = None
    secret_before: Annotated[
        Secret | None, Meta(description="signs beside it, until every receiver knows `secret`")
    ] = None
    per_host: Annotated[Count, Meta(description="calls to one host at a time, of one process")] = 10
    networks: Annotated[
        tuple[str, ...], Meta(description="networks that endpoints may lead to though they are not public")
    ] = ()

    def gateway(self, context: ProviderContext) -> "WebhookGateway":
        """See `ProviderSettings`."""
        return WebhookGateway(self, context.clock)

    def faults(self) -> Iterator[tuple[str, str]]:
        """See `ProviderSettings`."""
        if self.url is not None:
            yield "url", "has no meaning: every recipient has a URL of its own"
        if self.secret is None and self.secret_before is not None:
            yield "secret_before", "needs `secret` beside it"
        for name in ("secret", "secret_before"):
            try:
                _keys(getattr(self, name))
            except ValueError as fault:
                yield name, str(fault)
        try:
            networks_of(self.networks)
        except Misconfigured as fault:
            yield "networks", str(fault)


class WebhookEndpoint(msgspec.Struct, frozen=True):
    """Where a webhook goes."""

    url: Annotated[str, Meta(max_length=URL_MAX)]
    secrets: Annotated[tuple[str, ...], Meta(max_length=SECRETS_MAX)] = ()
    """Each signs; none: the account's own."""


class WebhookGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: WebhookSettings, clock: Clock) -> None:
        """Nothing is connected yet.

        Raises:
            Misconfigured: a secret or a network cannot be read.
        """
        self._clock = clock
        try:
            self._keys = _keys(settings.secret, settings.secret_before)
        except ValueError as fault:
            raise Misconfigured(f"a secret {fault}") from None
        networks = networks_of(settings.networks)
        self._calls = {
            scheme: HttpCalls(
                settings,
                egress=Egress(secure=scheme == "https", networks=networks),
                per_host=settings.per_host,
            )
            for scheme in ("https", "http")
        }

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; Accepted's reference is the webhook-id."""
        endpoint, body = _endpoint(message.address), _body(message)
        if isinstance(endpoint, Refused):
            return endpoint
        if isinstance(body, Refused):
            return body
        try:
            keys = _keys(*map(Secret, endpoint.secrets)) or self._keys
        except ValueError:
            return Refused("a secret of the endpoint is none", examined=False)
        if not keys:
            return AccountFault(
                "neither the endpoint nor the account has a secret to sign with", certain=False
            )
        id_, seconds = str(message.delivery), int(self._clock.now().timestamp())
        headers = {**JSON, ATTEMPT: str(message.attempt), **signed(keys, id_, seconds, body)}
        calls = self._calls[urlsplit(endpoint.url).scheme]
        try:
            answer = await calls.call("POST", endpoint.url, headers=headers, body=body)
        except (Unsent, NoAnswer) as error:
            return _of_recipient(not_answered(error))
        return Accepted(id_) if answer.successful else self._failed(answer)

    async def aclose(self) -> None:
        """Close the connections."""
        for calls in self._calls.values():
            await calls.aclose()

    def _failed(self, answer: HttpAnswer) -> Outcome:
        """Nothing of the body is kept: it may say anything, of anybody."""
        if 300 <= answer.status < 400:
            return Deferred(f"{answer.status} it redirects, which is not followed")
        if answer.status == GONE:
            return Refused("410 the endpoint is gone", gone=True)
        fault = STATUSES.get(answer.status) or kind_of_status(answer.status)
        return _of_recipient(error_outcome(answer, self._clock.now(), fault))


def _of_recipient(outcome: Outcome) -> Outcome:
    """The same, where it says nothing of us: other endpoints are called as before."""
    match outcome:
        case Deferred(examined=False):
            return msgspec.structs.replace(outcome, examined=True)
        case Unknown(reason):
            return Unknown(reason, of_recipient=True)
        case _:
            return outcome


def _endpoint(address: str) -> WebhookEndpoint | Refused:
    refused = Refused("the address is no endpoint", examined=False)
    try:
        found = (
            msgspec.json.decode(address, type=WebhookEndpoint)
            if address.startswith("{")
            else WebhookEndpoint(address)
        )
        where = urlsplit(found.url)
        bad_port = where.port == 0
    except (msgspec.DecodeError, ValueError):
        return refused
    bad = where.scheme not in {"https", "http"} or not where.hostname or where.username is not None
    return refused if bad or bad_port or len(found.url) > URL_MAX or not found.url.isprintable() else found


_encode = msgspec.json.Encoder(decimal_format="number").encode


def _body(message: OutboundMessage) -> bytes | Refused:
    """The document, or one as the standard recommends it; the same on every attempt."""
    try:
        document = msgspec.convert(message.parts, WebhookParts).document
    except msgspec.ValidationError:
        return Refused("its parts are not those of a webhook", examined=False)
    if document is None:
        texts = {"subject": message.subject, "body": message.body, "htmlBody": message.html_body}
        document = {
            "type": message.type,
            "timestamp": time_of(message.delivery).isoformat(),
            "data": {name: text for name, text in texts.items() if text is not None},
        }
    body = _encode(document)
    if len(body) > DOCUMENT_MAX:
        return Refused(f"{len(body)} bytes: {DOCUMENT_MAX} are taken", examined=False)
    return body


def _keys(*secrets: Secret | None) -> Sequence[SigningKey]:
    """
    Raises:
        ValueError: a secret cannot be read; says nothing of it.
    """
    return [signing_key(each.reveal()) for each in secrets if each is not None]
