"""What can be wrong with a request, recipients apart; pointers are those of the REST body."""

from collections.abc import Collection, Iterator, Sequence

import msgspec

from domain.channel.content import lacking, part_faults, sender_faults
from domain.channel.limits import excess
from domain.kernel.errors import Fault
from domain.kernel.json_values import below
from domain.kernel.text import UNSEEN, hides, unbroken
from domain.notification.request import Content, Request

TEXT_MAX = 255
METADATA_MAX = 16 * 1024

_canonical = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


def text_faults(request: Request, *, from_intake: bool) -> list[Fault]:
    """The faults of its texts.  A request from the intake may have characters that are refused today."""
    faults = []
    limits = {
        "notificationType": (request.type, 100),
        "createdBy": (request.created_by, TEXT_MAX),
        "idempotencyKey": (request.idempotency_key, TEXT_MAX),
    }
    for name, (value, most) in limits.items():
        if value is not None and not 1 <= len(value) <= most:
            faults.append(Fault(f"/{name}", "bad_length", f"1 to {most} characters"))
        elif value is not None and not from_intake and hides(value):
            faults.append(Fault(f"/{name}", "bad_character", UNSEEN))
    if not from_intake:
        faults += [
            Fault(f"/recipients/{n}/userId", "bad_character", UNSEEN)
            for n, recipient in enumerate(request.recipients)
            if recipient.user_id and recipient.user_id.strip() and hides(recipient.user_id)
        ]
    if request.metadata and len(_canonical(request.metadata)) > METADATA_MAX:
        faults.append(Fault("/metadata", "too_large", f"metadata has at most {METADATA_MAX:,} bytes of JSON"))
    return faults


def with_unbroken_subject(request: Request) -> Request:
    """With its subject on one line, as those of templates are."""
    content = request.content
    if content.subject is None or (subject := unbroken(content.subject)) == content.subject:
        return request
    return msgspec.structs.replace(request, content=msgspec.structs.replace(content, subject=subject))


def inline_faults(inline: Content, channel: str, channels: Collection[str]) -> list[Fault]:
    """The faults of inline content, its channel included."""
    faults = []
    if not channel:
        faults.append(Fault("/channelType", "missing", "name a channel, or a template that has one"))
    elif channel not in channels:
        faults.append(unknown_channel(channel, channels))
    parts = inline.parts.get(channel, {})
    if detail := lacking(channel, inline.subject, inline.body, inline.html_body, parts):
        faults.append(Fault("/body", "missing", detail))
    if channel == "email" and not unbroken(inline.subject or "").strip():
        faults.append(Fault("/subject", "missing", "an e-mail needs a subject"))
    return faults


def parts_faults(inline: Content, channels: Sequence[str], senders: Collection[str]) -> Iterator[Fault]:
    """The faults of the parts of its channels, and of those that have another one; else, what is too much.

    Args:
        channels: where the message goes out; "" for a channel that nobody has named.
        senders: the names of those that are configured.
    """
    found = False
    for named, parts in inline.parts.items():
        if named in channels:
            at = below("/parts", named)
            for fault in (
                *part_faults(named, parts, at),
                *sender_faults(named, parts, at, senders),
            ):
                found = True
                yield fault
        else:
            found = True
            detail = f"these parts are for {named}, and the message goes out on {_named(channels)}"
            yield Fault(below("/parts", named), "wrong_channel", detail)
    for channel in () if found else channels:
        too_much = excess(channel, inline.subject, inline.body, inline.parts.get(channel, {}))
        if too_much is not None:
            part, detail = too_much
            yield Fault("/body" if part == "body" else f"/parts/{channel}/{part}", "too_large", detail)


def _named(channels: Sequence[str]) -> str:
    return " and ".join(channel for channel in channels if channel) or "no channel"


def disabled_channel(channel: str, at: str = "/channelType") -> Fault:
    """The channel takes no requests now."""
    detail = f"channel '{channel}' is disabled: it takes no requests until it is enabled"
    return Fault(at, "channel_disabled", detail)


def unknown_channel(channel: str, channels: Collection[str]) -> Fault:
    """There is no such channel."""
    return Fault("/channelType", "unknown_channel", f"'{channel}' is none of {', '.join(sorted(channels))}")
