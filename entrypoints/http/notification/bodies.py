"""The body of `POST /api/notifications`, and the request it stands for."""

from collections.abc import Sequence
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from domain.kernel.channel import Mode, NotificationClass, Priority
from domain.kernel.errors import Fault, Invalid
from domain.kernel.json_values import Json
from domain.notification.request import Content, Recipient, Request
from domain.notification.routing import CHANNELS_MAX, Routing
from entrypoints.http.kit.fields import VISIBLE, Channel, Name, OwnAddresses, Spelled, SpelledName

KEY_MAX = 255


class RecipientIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """A guest by address, or a customer by the shop's id and what is newly known of them; empty: absent."""

    user_id: Annotated[str, Meta(max_length=255, description="the shop's own id of a customer")] | None = None
    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(max_length=50, description="E.164, such as +4930901820")] | None = None
    name: Annotated[str, Meta(max_length=255)] | None = None
    locale: Annotated[str, Meta(max_length=35, description="BCP 47, such as pt-BR")] | None = None
    timezone: Annotated[str, Meta(max_length=64, description="IANA, such as Europe/Berlin")] | None = None
    addresses: OwnAddresses = {}


Who = Annotated[str | RecipientIn, Meta(description="the shop's own user id, or an object")]


class NotificationIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """What to tell, to whom, over which channel."""

    notification_type: Annotated[SpelledName, Meta(description="such as `order_confirmation`")]
    channel_type: (
        Annotated[
            Channel, Meta(description="without it, the template's channel, or those of its registered type")
        ]
        | None
    ) = None
    channels: (
        Annotated[
            list[Channel],
            Meta(
                min_length=1,
                max_length=CHANNELS_MAX,
                description="several, in order, in place of channelType",
            ),
        ]
        | None
    ) = None
    routing: (
        Annotated[
            Literal["all", "first"],
            Meta(
                description=(
                    "what several channels mean: each of them, or the first that reaches a recipient; "
                    "without it what the registered type says, else `all`"
                )
            ),
        ]
        | None
    ) = None
    priority: (
        Annotated[
            Literal["critical", "high", "medium", "low"],
            Meta(description="without it what the registered type says, else `medium`"),
        ]
        | None
    ) = None
    klass: (
        Annotated[
            Literal["otp", "transactional", "marketing"],
            Meta(
                description=(
                    "what it is for; policies hang on it. Without it what the registered type says, else "
                    "`transactional`"
                )
            ),
        ]
        | None
    ) = field(default=None, name="class")
    category: (
        Annotated[SpelledName, Meta(description="such as `orders`: what a user may choose by")] | None
    ) = None
    templates: Annotated[
        dict[str, Name], Meta(description='by channel: `{"push": "shipped_push", "sms": "shipped_sms"}`')
    ] = {}
    template_id: Annotated[Name, Meta(description="instead of subject, body and htmlBody")] | None = None
    recipient_id: Annotated[Spelled, Meta(description="the shop's own user id")] | None = None
    recipients: (
        Annotated[list[Who], Meta(min_length=1, max_length=1_000, description="instead of recipientId")]
        | None
    ) = None
    data: Annotated[dict[str, Json], Meta(description="fills the template")] = {}
    subject: Annotated[str, Meta(max_length=500)] | None = None
    body: Annotated[str, Meta(description="plain text")] | None = None
    html_body: str | None = None
    parts: Annotated[
        dict[str, dict[str, Json]],
        Meta(description='what a channel has beside these: `{"push": {"link": "https://…"}}`'),
    ] = {}
    metadata: Annotated[
        dict[str, Json],
        Meta(description="labels to find it by; no personal data: they are stored in the clear"),
    ] = {}
    created_by: Spelled | None = None
    idempotency_key: (
        Annotated[
            str,
            Meta(
                min_length=1,
                max_length=KEY_MAX,
                extra_json_schema=VISIBLE,
                description="or the header Idempotency-Key",
            ),
        ]
        | None
    ) = None


def to_request(body: NotificationIn, *, key: str | None, mode: Mode, traceparent: str | None) -> Request:
    """The request in the application's terms.

    Raises:
        Invalid: two ways of naming the recipients, or none.
    """
    if body.recipient_id is not None:
        if body.recipients is not None:
            raise Invalid(Fault("/recipientId", "ambiguous", "give recipientId or recipients, not both"))
        recipients: tuple[Recipient, ...] = (Recipient(user_id=body.recipient_id),)
    elif body.recipients is not None:
        recipients = tuple(map(_recipient, body.recipients))
    else:
        raise Invalid(Fault("/recipientId", "missing", "give recipientId or recipients"))
    return Request(
        mode=mode,
        type=body.notification_type,
        klass=None if body.klass is None else NotificationClass(body.klass),
        priority=None if body.priority is None else Priority.of(body.priority),
        category=body.category,
        channel=body.channel_type,
        channels=() if body.channels is None else tuple(body.channels),
        routing=None if body.routing is None else Routing(body.routing),
        template=body.template_id,
        templates=body.templates,
        content=Content(
            data=body.data,
            subject=body.subject,
            body=body.body,
            html_body=body.html_body,
            parts=body.parts,
        ),
        recipients=recipients,
        metadata=body.metadata,
        created_by=body.created_by,
        idempotency_key=key,
        traceparent=traceparent,
    )


def _recipient(given: str | RecipientIn) -> Recipient:
    if isinstance(given, str):
        return Recipient(user_id=given)
    return Recipient(
        user_id=given.user_id,
        email=given.email,
        phone=given.phone,
        name=given.name,
        locale=given.locale,
        timezone=given.timezone,
        addresses=given.addresses,
    )


def in_body(faults: Sequence[Fault], body: NotificationIn) -> list[Fault]:
    """Faults of the request as faults of this body: its only recipient may stand in `recipientId`."""
    if body.recipient_id is None:
        return list(faults)
    return [
        Fault("/recipientId", fault.code, fault.detail) if fault.pointer.startswith("/recipients") else fault
        for fault in faults
    ]
