"""What the providers of e-mail have in common."""

from email.headerregistry import Address
from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.providers.kit.http import HttpSettings
from application.provider.ports import OutboundMessage

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
