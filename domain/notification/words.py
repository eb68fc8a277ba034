"""What a notification says on a channel: its own words, or its template's with what it says beside them."""

import msgspec

from domain.channel.limits import excess
from domain.kernel.errors import Fault, Invalid
from domain.notification.request import Content
from domain.template.template import Rendered


def own_words(content: Content, channel: str) -> Rendered:
    """The words of a request without a template: limits were looked at when it was accepted."""
    return Rendered(
        subject=content.subject,
        body=content.body,
        html_body=content.html_body,
        parts=content.parts.get(channel, {}),
    )


def joined(words: Rendered, content: Content, channel: str) -> Rendered:
    """The words of a template with the parts that the request has for this channel.

    Raises:
        Invalid: they are more than the channel takes.
    """
    if content.parts:
        words = msgspec.structs.replace(words, parts={**words.parts, **content.parts.get(channel, {})})
    too_much = excess(channel, words.subject, words.body, words.parts)
    if too_much is not None:
        raise Invalid(Fault("/data", "too_large", too_much[1]))
    return words
