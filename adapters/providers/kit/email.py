"""What the providers of e-mail have in common."""

from email.headerregistry import Address
from email.utils import formataddr
from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.providers.kit.http import HttpSettings
from application.provider.ports import OutboundMessage
from domain.channel.parts import EmailParts
from domain.provider.outcome import Outcome, Refused

NO_TEXT = " "
"""For a message that has no body at all: providers want one."""


class EmailSettings(HttpSettings, frozen=True):
    """What every provider of e-mail with an HTTP API is set up with."""

    sender: Annotated[
        str, Meta(description="From address, with a name if you like: `The Shop <shop@example.org>`")
    ] = msgspec.field(name="from", default="shop@localhost")
    reply_to: Annotated[str | None, Meta(description="Reply-To address")] = None


def recipient(message: OutboundMessage) -> str:
    """The recipient as a header has it, with the name if there is one."""
    if not message.name:
        return message.address
    name = " ".join(message.name.split())
    local, _, domain = message.address.rpartition("@")
    return str(Address(display_name=name, username=local, domain=domain))


def ascii_mailbox(name: str | None, address: str) -> str | None:
    """Name and address in ASCII alone: the name in encoded words, the domain in Punycode.  None: what stands
    before the @ has other letters, or it is no address."""
    local, _, domain = address.rpartition("@")
    if not (local and domain):
        return None
    try:
        return formataddr((" ".join((name or "").split()), f"{local}@{domain.encode('idna').decode()}"))
    except UnicodeError:
        return None


def email_parts(message: OutboundMessage) -> EmailParts:
    """What the message has beside its text; its `sender` is a mailbox here, None: the account's own."""
    return msgspec.convert(message.parts, EmailParts)


def refused_unsent(message: OutboundMessage) -> Outcome | None:
    """The refusal of a message that cannot be sent as it is; None: it can be."""
    try:
        parts = email_parts(message)
    except msgspec.ValidationError:
        return Refused("its parts are none of an e-mail", examined=False)
    if any(each.content is None for each in parts.attachments):
        return Refused("an attachment has no content", examined=False)
    return None
