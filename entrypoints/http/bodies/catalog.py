"""Bodies of templates, triggers, channels and users."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

from application.channel.ports import Channel as ChannelConfiguration
from application.channel.ports import WhenDisabled
from domain.kernel.channel import NotificationClass, Priority
from domain.template.template import Template, Variable
from domain.trigger.trigger import To, Trigger
from domain.user.update import PersonUpdate
from entrypoints.http.bodies.texts import Channel, Id, Name, Spelled, SpelledName, Text

Path = Annotated[str, Meta(min_length=1, max_length=255, examples=["data.userId"])]


class TemplateVersionIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """One version of a template; it never changes once saved."""

    name: Spelled
    channel_type: Channel
    subject_template: str | None = None
    body_template: Annotated[str, Meta(description="plain text, Jinja2")] | None = None
    html_body_template: Annotated[str, Meta(description="HTML, Jinja2; values are escaped")] | None = None
    variables: Annotated[
        dict[str, Variable], Meta(description="every variable it uses; `recipient` is always there")
    ] = {}
    is_active: Annotated[bool, Meta(description="use this version from now on")] = True

    def draft(self, id: str) -> Template:  # noqa: A002  its name everywhere
        """As the house calls it."""
        return Template(
            id=id,
            version=0,
            name=self.name,
            channel=self.channel_type,
            subject=self.subject_template,
            body=self.body_template,
            html_body=self.html_body_template,
            variables=self.variables,
        )


class TemplateIn(TemplateVersionIn, frozen=True, kw_only=True):
    """A new template: its id and first version."""

    id: Id


TEMPLATE_NAMES = {
    "/channel": "/channelType",
    "/subject": "/subjectTemplate",
    "/body": "/bodyTemplate",
    "/htmlBody": "/htmlBodyTemplate",
}
"""Pointers of the house → of these bodies."""


class ActivationIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which version to use."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1, description="none: the latest")] | None = None


class ToIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """Where in the event the recipient stands: each a path."""

    user_id: Path | None = None
    email: Path | None = None
    phone: Path | None = None
    name: Path | None = None
    locale: Path | None = None
    timezone: Path | None = None


class TriggerIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """This event makes this notification."""

    event: Annotated[SpelledName, Meta(description="type of the shop's event", examples=["order.created"])]
    is_enabled: bool = True
    notification_type: SpelledName
    template_id: Id
    channel_type: Annotated[Channel, Meta(description="without it, the template's channel")] | None = None
    klass: Literal["otp", "transactional", "marketing"] = field(default="transactional", name="class")
    priority: Literal["critical", "high", "medium", "low"] = "medium"
    to: ToIn = ToIn(user_id="data.userId")
    data: Annotated[Path, Meta(description="path of the object that fills the template")] = "data"
    key: Annotated[
        Text,
        Meta(
            description="idempotency key below `trigger:<id>:`, with paths in braces; kept for 90 days",
            examples=["order:{data.orderId}:confirmed"],
        ),
    ] = "{source}:{id}"
    metadata: Annotated[dict[str, Path], Meta(description="label → path")] = {}

    def trigger(self, id: str) -> Trigger:  # noqa: A002  its name everywhere
        """As the house calls it."""
        return Trigger(
            id=id,
            event=self.event,
            enabled=self.is_enabled,
            type=self.notification_type,
            template=self.template_id,
            channel=self.channel_type,
            klass=NotificationClass(self.klass),
            priority=Priority.of(self.priority),
            to=To(**msgspec.structs.asdict(self.to)),
            data=self.data,
            key=self.key,
            metadata=self.metadata,
        )


TRIGGER_NAMES = {
    "/template": "/templateId",
    "/channel": "/channelType",
    "/type": "/notificationType",
    "/to/user_id": "/to/userId",
}
"""Pointers of the house → of this body."""


class ChannelIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """How a channel is run."""

    is_enabled: Annotated[
        bool, Meta(description="off: its deliveries wait; `POST /channels/{channel}/drop` ends them")
    ] = True
    when_disabled: Annotated[
        Literal["refuse", "hold"],
        Meta(description="new requests meanwhile: refused with 422, or accepted to wait. Events always wait"),
    ] = "refuse"
    is_paused: Annotated[bool, Meta(description="on: its deliveries wait")] = False
    providers: Annotated[
        list[Name], Meta(min_length=1, max_length=10, description="configured providers, preferred first")
    ]

    def configuration(self, channel: str) -> ChannelConfiguration:
        """As the house calls it."""
        return ChannelConfiguration(
            channel=channel,
            enabled=self.is_enabled,
            when_disabled=WhenDisabled(self.when_disabled),
            paused=self.is_paused,
            providers=tuple(self.providers),
        )


class UserIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """All that is known of a customer: what is left out is forgotten."""

    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(max_length=50, description="E.164, such as +4930901820")] | None = None
    name: Annotated[str, Meta(max_length=255)] | None = None
    locale: Annotated[str, Meta(max_length=35, description="BCP 47, such as pt-BR")] | None = None
    timezone: Annotated[str, Meta(max_length=64, description="IANA, such as Europe/Berlin")] | None = None

    def update(self, user: str) -> PersonUpdate:
        """As the house calls it."""
        return PersonUpdate(user_id=user, **msgspec.structs.asdict(self))


class EraseIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """Who is to be erased: one of the three."""

    user_id: Annotated[str, Meta(max_length=255, description="the shop's own id of a customer")] | None = None
    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(max_length=50, description="E.164, such as +4930901820")] | None = None
    customers: Annotated[
        bool, Meta(description="with an address: customers who have it, too, not only guests")
    ] = False
