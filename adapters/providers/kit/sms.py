"""What the providers of text messages have in common."""

from typing import Annotated

import msgspec
from msgspec import Meta

from adapters.providers.kit.http import HttpSettings
from application.provider.ports import OutboundMessage
from domain.channel.parts import SmsParts
from domain.channel.sms import SEGMENTS_MAX, plain, segments
from domain.provider.outcome import Refused


class SmsSettings(HttpSettings, frozen=True):
    """What every provider of text messages is set up with."""

    sender: Annotated[str | None, Meta(description="number or name that messages come from")] = msgspec.field(
        name="from", default=None
    )
    callback: Annotated[
        str | None, Meta(description="URL of ours where the provider reports what became of a message")
    ] = None


def text_of(message: OutboundMessage) -> str | Refused:
    """The text to send, or why there is none: that is known before anybody is called."""
    try:
        parts = msgspec.convert(message.parts, SmsParts)
    except msgspec.ValidationError:
        return Refused("its parts are none of a text message", examined=False)
    text = message.body or ""
    if not text.strip():
        return Refused("it has no text", examined=False)
    if parts.smart:
        text = plain(text)
    if (count := len(segments(text).parts)) > SEGMENTS_MAX:
        return Refused(f"its text has {count} segments, more than {SEGMENTS_MAX}", examined=False)
    return text
