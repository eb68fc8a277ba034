"""A provider described by data: how one message becomes one HTTP call, and what the answer means.

It holds no secret, only references to some.  What may stand in its texts: `domain.provider.placeholders`;
what is wrong with a description: `domain.provider.description_checks`.
"""

from enum import StrEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.kernel.json_values import Json
from domain.provider.description_kit import Described, Pointer, Reference, Short, Text
from domain.provider.webhook_description import WebhookDescription

DESCRIPTION_MAX = 64 * 1024
"""Bytes of a description in JSON."""


class NoAuth(Described, frozen=True, tag_field="kind", tag="none"):
    """Nothing, or a secret within the URL."""


class BearerAuth(Described, frozen=True, tag_field="kind", tag="bearer"):
    """`Authorization: Bearer …`."""

    secret: Reference


class BasicAuth(Described, frozen=True, tag_field="kind", tag="basic"):
    """`Authorization: Basic …`."""

    user: Short
    secret: Reference


class HeaderAuth(Described, frozen=True, tag_field="kind", tag="header"):
    """A header of the provider's own."""

    name: Short
    secret: Reference
    prefix: Short = ""


class QueryAuth(Described, frozen=True, tag_field="kind", tag="query"):
    """A field of the URL's query."""

    name: Short
    secret: Reference


Auth = NoAuth | BearerAuth | BasicAuth | HeaderAuth | QueryAuth


class JsonDocument(Described, frozen=True, tag_field="kind", tag="json"):
    """A JSON document; its strings are texts with places.

    A member whose text is one place without a value is left out.  An object with `$when` (a place) is left
    out when that has no value, one with `$unless` when it has one.
    """

    document: Json


class FormFields(Described, frozen=True, tag_field="kind", tag="form"):
    """`application/x-www-form-urlencoded`; a field without a value is left out."""

    fields: Annotated[dict[str, Text], Meta(min_length=1, max_length=50)]


class XmlText(Described, frozen=True, tag_field="kind", tag="xml"):
    """`application/xml`; values are escaped."""

    text: Annotated[str, Meta(max_length=16_000)]


Body = JsonDocument | FormFields | XmlText


class Meaning(StrEnum):
    """What an answer means."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    """The recipient is at fault: for good."""
    UNSUBSCRIBED = "unsubscribed"
    """The recipient has told the provider that nothing more may come."""
    THROTTLED = "throttled"
    """Too many calls: later, when the provider says."""
    RETRY = "retry"
    """Not sent this time."""
    ACCOUNT = "account"
    """Our credentials, sender or quota: the provider is paused and probed."""
    REQUEST = "request"
    """Our request is wrong, whoever it is for: for good."""
    UNKNOWN = "unknown"
    """It may have been sent."""


class AnswerTest(Described, frozen=True):
    """One thing that an answer must show; without `at` and `header` the whole body is looked at, as text."""

    at: Pointer | None = None
    header: Short | None = None
    equals: Json = msgspec.UNSET
    any_of: Annotated[tuple[Json, ...], Meta(min_length=1, max_length=100)] | None = None
    contains: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    """Whatever the case of letters."""
    exists: bool | None = None
    between: tuple[float, float] | None = None
    """A number from the one to the other, both included."""


class ResultRule(Described, frozen=True, kw_only=True):
    """What an answer means if its status is one of these and all tests hold."""

    means: Meaning
    status: Annotated[tuple[Short, ...], Meta(max_length=20)] = ()
    """Such as `429` or `200-299`; none: any."""
    tests: Annotated[tuple[AnswerTest, ...], Meta(max_length=10)] = ()


class ReferenceAt(Described, frozen=True):
    """Where the provider's id of the message is."""

    at: Pointer | None = None
    header: Short | None = None


class RetryAfterAt(Described, frozen=True):
    """Where it says when to come again, if not in the header Retry-After as HTTP has it."""

    at: Pointer | None = None
    header: Short | None = None
    unit: Literal["seconds", "milliseconds", "epoch"] = "seconds"


class Limits(Described, frozen=True):
    """Bounds of its calls."""

    timeout_seconds: Annotated[float, Meta(ge=0.1, le=30)] = 10.0
    connections: Annotated[int, Meta(ge=1, le=200)] = 20
    """Of one process, so calls at a time."""
    size_max: Annotated[int, Meta(ge=100, le=10_000_000)] = 256 * 1024
    """Bytes of a request's body."""


class ProviderDescription(Described, frozen=True, kw_only=True):
    """One provider."""

    summary: Short = ""
    channels: Annotated[tuple[Short, ...], Meta(max_length=10)] = ()
    """Channels whose messages it carries; none: any channel."""
    method: Literal["POST", "PUT", "PATCH"] = "POST"
    url: Text
    headers: Annotated[dict[str, Text], Meta(max_length=20)] = msgspec.field(default_factory=dict)
    auth: Auth = NoAuth()
    variables: Annotated[dict[str, Annotated[str, Meta(max_length=1_000)]], Meta(max_length=30)] = (
        msgspec.field(default_factory=dict)
    )
    """What differs from account to account and is no secret: `{{ variables.NAME }}`."""
    secrets: Annotated[dict[str, Reference], Meta(max_length=10)] = msgspec.field(default_factory=dict)
    """What stands within a text and must not be seen: `{{ secrets.NAME }}`."""
    body: Body
    results: Annotated[tuple[ResultRule, ...], Meta(max_length=50)] = ()
    """In their order; what none of them knows is judged by its status."""
    reference: ReferenceAt | None = None
    """None: the provider gives none, and ours stands for it."""
    code: Pointer | None = None
    """Where an error's code is, for the reason that is kept."""
    words: Pointer | None = None
    """Where an error's words are; they are redacted."""
    retry_after: RetryAfterAt | None = None
    idempotency_header: Short | None = None
    """Carries our delivery's id, by which the provider recognises a repeated call."""
    limits: Limits = Limits()
    webhook: WebhookDescription | None = None
