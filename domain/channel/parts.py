"""What a message has on each channel beside its text: parts of templates, requests and provider calls.

`subject`, `body` and `html_body` are shared by all channels: on push and in the app the subject is the title.
A channel that is not built in may have any parts; its description says what becomes of them.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from domain.kernel.json_values import Json

ATTACHMENTS_MAX = 5
ATTACHMENTS_BYTES = 7 * 1024 * 1024
"""Of all attachments of a message together, before base64."""
DATA_KEYS_MAX = 50

_MAILBOX = r"^[^\x00-\x1f\x7f@<>]*<?[^\s\x00-\x1f\x7f@<>,;]+@[^\s@<>,;]+>?\Z"
"""`help@shop.example`, with a name if you like."""
Text = Annotated[str, Meta(max_length=1_000)]
Url = Annotated[str, Meta(max_length=2_000, pattern=r"^(?i:https?)://[^\s/]\S*\Z")]
"""Where something is fetched."""
Link = Annotated[str, Meta(max_length=2_000, pattern=r"^(?!(?i:javascript|vbscript|data):)\S+\Z")]
"""What a tap opens: a web page, or a place in the shop's app (`shop://orders/4711`)."""


class _Parts(
    msgspec.Struct,
    frozen=True,
    kw_only=True,
    omit_defaults=True,
    forbid_unknown_fields=True,
    rename="camel",
):
    """The base of all: names as the API has them."""


class Attachment(_Parts, frozen=True):
    """A file that goes along: its content in base64, or where the shop has it."""

    name: Annotated[str, Meta(min_length=1, max_length=200)]
    type: Annotated[str, Meta(max_length=100, pattern=r"^[A-Za-z0-9.+_-]+/[A-Za-z0-9.+_-]+\Z")]
    """Its media type."""
    content: str | None = None
    url: Url | None = None


class EmailParts(_Parts, frozen=True):
    """Of an e-mail."""

    preheader: Text | None = None
    """What mail programs show beside the subject."""
    reply_to: Annotated[str, Meta(max_length=320, pattern=_MAILBOX)] | None = None
    sender: Annotated[str, Meta(max_length=400)] | None = None
    """The name of a configured sender, and for gateways its mailbox; None: the provider's own."""
    inline_css: bool = True
    """Of a template: what its `<style>` says is put into `style` attributes when it is saved."""
    attachments: Annotated[tuple[Attachment, ...], Meta(max_length=ATTACHMENTS_MAX)] = ()


class SmsParts(_Parts, frozen=True):
    """Of a text message."""

    smart: bool = msgspec.field(name="smartEncoding", default=True)
    """Typographic characters that would make the text UCS-2 are replaced by plain ones."""


class PushParts(_Parts, frozen=True):
    """Of a push notification; the title is the message's subject."""

    data: Annotated[dict[str, str], Meta(max_length=DATA_KEYS_MAX)] = {}
    """For the app, not for the eye."""
    image: Url | None = None
    link: Link | None = None
    badge: Annotated[int, Meta(ge=0, le=99_999)] | None = None
    sound: Annotated[str, Meta(max_length=100)] | None = None
    collapse_key: Annotated[str, Meta(max_length=64)] | None = None
    """A later message with the same key replaces an earlier one on the device."""
    ttl: timedelta | None = None
    """How long the push service keeps it for a device that is offline; None: as long as it does."""
    urgency: Literal["normal", "high"] | None = None
    """None: high for critical and high priority, normal for others."""


class Action(_Parts, frozen=True):
    """A button of an in-app message."""

    label: Annotated[str, Meta(min_length=1, max_length=100)]
    link: Link


class InAppParts(_Parts, frozen=True):
    """Of a message in the shop's own app; the title is the message's subject."""

    link: Link | None = None
    category: Annotated[str, Meta(max_length=64)] | None = None
    actions: Annotated[tuple[Action, ...], Meta(max_length=5)] = ()


class WebhookParts(_Parts, frozen=True):
    """Of a call to an endpoint of the shop or of a user."""

    document: Json = None
    """The JSON document that is posted."""


PARTS: Mapping[str, type[msgspec.Struct]] = {
    "email": EmailParts,
    "sms": SmsParts,
    "push": PushParts,
    "in_app": InAppParts,
    "webhook": WebhookParts,
}
"""By channel."""
