"""How the webhooks of a described provider are signed and read.

It is checked with the description it belongs to; what comes by webhooks is read by it.
"""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta

from domain.kernel.errors import Fault
from domain.provider.description_kit import Described, Pointer, Reference, Short, header_fault, pointer_fault


class NoSignature(Described, frozen=True, tag_field="kind", tag="none"):
    """Its webhooks prove nothing."""


class BasicSignature(Described, frozen=True, tag_field="kind", tag="basic"):
    """Its webhooks log in."""

    user: Short
    secret: Reference


class HeaderSignature(Described, frozen=True, tag_field="kind", tag="header"):
    """Its webhooks bring a secret in a header."""

    header: Short
    secret: Reference


class HmacSignature(Described, frozen=True, tag_field="kind", tag="hmac"):
    """Its webhooks are signed."""

    secret: Reference
    header: Short
    """Where the signature is."""
    prefix: Short = ""
    """Before the signature, such as `sha256=`."""
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    key: Literal["text", "hex", "base64"] = "text"
    signs: Literal["body", "timestamp.body", "id.timestamp.body", "url+form"] = "body"
    id_header: Short | None = None
    timestamp_header: Short | None = None
    freshness_seconds: Annotated[int, Meta(ge=1, le=86_400)] = 300


Signature = NoSignature | BasicSignature | HeaderSignature | HmacSignature


class MappedStatus(StrEnum):
    """What a webhook says of a message."""

    SENT = "sent"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    FAILED = "failed"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"
    IGNORED = "ignored"


class WebhookDescription(Described, frozen=True):
    """How its webhooks are signed and read."""

    statuses: Annotated[dict[str, MappedStatus], Meta(min_length=1, max_length=50)]
    signature: Signature = NoSignature()
    verify_token: Reference | None = None
    """Of the handshake by GET, as Meta makes it (`hub.verify_token`)."""
    each: Pointer = ""
    """To the events in a body; `*` is any element."""
    event_id: Pointer | None = None
    """Within an event, like all that follow."""
    delivery: Pointer | None = None
    """Where our delivery's id comes back."""
    reference: Pointer | None = None
    """Where the provider's own id is."""
    time: Pointer | None = None
    status: Pointer = "/status"
    reason: Pointer | None = None


def webhook_faults(webhook: WebhookDescription) -> Iterator[Fault]:
    """Everything that is wrong with it; pointers begin with `/webhook`."""
    for name in ("each", "event_id", "delivery", "reference", "time", "status", "reason"):
        camel = "eventId" if name == "event_id" else name
        yield from pointer_fault(f"/webhook/{camel}", getattr(webhook, name))
    if webhook.delivery is None and webhook.reference is None:
        yield Fault("/webhook", "no_correlation", "name where `delivery` or `reference` comes back")
    signature = webhook.signature
    if isinstance(signature, NoSignature | BasicSignature):
        return
    yield from header_fault("/webhook/signature/header", signature.header)
    if isinstance(signature, HmacSignature):
        if "id" in signature.signs.split(".") and signature.id_header is None:
            yield Fault("/webhook/signature/idHeader", "missing", "`signs` needs it")
        if "timestamp" in signature.signs and signature.timestamp_header is None:
            yield Fault("/webhook/signature/timestampHeader", "missing", "`signs` needs it")


def webhook_references(webhook: WebhookDescription) -> Iterator[tuple[str, str]]:
    """Where its secrets are named, and how."""
    if not isinstance(webhook.signature, NoSignature):
        yield "/webhook/signature/secret", webhook.signature.secret
    if webhook.verify_token is not None:
        yield "/webhook/verifyToken", webhook.verify_token
