"""A request for one notification, the same from REST and from shop events."""

import msgspec

from domain.kernel.channel import AddressedBy, Mode, NotificationClass, Priority
from domain.kernel.json_values import Json
from domain.notification.routing import Routing

DEFAULT_CLASS = NotificationClass.TRANSACTIONAL
DEFAULT_PRIORITY = Priority.MEDIUM


class Recipient(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Who gets the notification: a customer of the shop by the shop's own id, or a guest with an address.

    With `user_id` alone the address comes from the shop's customers in `users`.
    """

    user_id: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    locale: str | None = None
    timezone: str | None = None
    addresses: dict[str, str] = {}
    """By channel, where a channel has addresses of its own."""


def present(given: Recipient) -> Recipient:
    """The recipient without blank values."""
    return Recipient(
        **{
            name: value
            for name in Recipient.__struct_fields__
            if isinstance(value := getattr(given, name), str) and value.strip()
        },
        addresses={channel: value for channel, value in given.addresses.items() if value.strip()},
    )


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Data for a template, or the text itself.  It is stored encrypted (sealed) only."""

    data: dict[str, Json] = {}
    subject: str | None = None
    body: str | None = None
    html_body: str | None = None
    parts: dict[str, dict[str, Json]] = {}
    """What each channel has beside these; it goes before what a template says."""


class Derived(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """An idempotency key that we made: by a trigger from an event, or for an item of a batch."""

    parts: tuple[str, ...]
    """Its parts; the first says what made it.  They stay separate, so that two keys cannot become equal."""
    certain: bool = True
    """Whether `Request.idempotency_key`, the same in one text as earlier releases had it, can stand for these
    parts alone."""


class Request(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """One notification asked for.  `template` and inline content exclude each other.

    Defaults are omitted when it is written: a new optional member changes nothing of what was written before.
    """

    mode: Mode = Mode.LIVE
    type: str
    klass: NotificationClass | None = None
    """None: that of its registered type, else transactional."""
    priority: Priority | None = None
    """None: that of its registered type, else medium."""
    category: str | None = None
    channel: str | None = None
    """None: the template's channel, or those of its registered type."""
    channels: tuple[str, ...] = ()
    """Several, in the order in which they are tried or used; instead of `channel`."""
    routing: Routing | None = None
    """None: that of its registered type, else all."""
    template: str | None = None
    templates: dict[str, str] = {}
    """By channel."""
    content: Content = Content()
    recipients: tuple[Recipient, ...] = ()
    metadata: dict[str, Json] = {}
    """Labels of the shop's own; not for personal data: stored and searched in the clear."""
    created_by: str | None = None
    idempotency_key: str | None = None
    derived: Derived | None = None
    """In place of `idempotency_key`, which stands beside it for 90 days after an upgrade."""
    traceparent: str | None = None
    drop_invalid: bool = False
    """A value of a recipient that cannot be read is left out and reported, where the message can do without:
    a shop event is not refused for an odd locale."""

    @property
    def policy_class(self) -> NotificationClass:
        """Its class; transactional where nothing says it."""
        return self.klass or DEFAULT_CLASS

    @property
    def urgency(self) -> Priority:
        """Its priority; medium where nothing says it."""
        return DEFAULT_PRIORITY if self.priority is None else self.priority


class Profile(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Personal data of a user; stored sealed under the user's key."""

    user_id: str | None = None
    email: str | None = None
    phone: str | None = None
    name: str | None = None
    locale: str | None = None
    timezone: str | None = None
    addresses: dict[str, str] = {}
    """By channel, where a channel has addresses of its own."""

    def address(self, channel: str, by: AddressedBy | None = None) -> str | None:
        """Where this user is reached on a channel, or None.

        Args:
            by: what addresses them, as the channel's configuration says; None: the channel is built in.
        """
        match by or channel:
            case "email":
                return self.email
            case "sms" | AddressedBy.PHONE:
                return self.phone
            case "in_app" | AddressedBy.USER_ID:
                return self.user_id
            case _:
                return self.addresses.get(channel)
