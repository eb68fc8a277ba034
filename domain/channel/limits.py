"""How much a message may be on each channel: looked at when it is accepted, and when it is rendered.

email     attachments   5, 7 MiB together before base64
sms       segments      10, after typographic characters were replaced
push      bytes         4,096 of title, body and parts (FCM, APNs; a browser gets 3,993, see its gateway)
webhook   bytes         262,144 of JSON
others    bytes         65,536 of parts as JSON
"""

import base64
import binascii
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

import msgspec

from domain.channel.parts import ATTACHMENTS_BYTES
from domain.channel.sms import SEGMENTS_MAX, SmsSegments, first_lasting, plain, segments
from domain.kernel.json_values import Json

PUSH_BYTES_MAX = 4_096
PUSH_BYTES_OURS = 120
"""Of ids that go along with every notification."""
DOCUMENT_BYTES_MAX = 262_144
OTHER_BYTES_MAX = 65_536
TTL_MAX = timedelta(weeks=4)
"""Of a push notification, with every service."""
_HIDDEN = set(map(chr, range(32))) | {"/", "\\", "\x7f"}


def excess(
    channel: str, subject: str | None, body: str | None, parts: Mapping[str, Json]
) -> tuple[str, str] | None:
    """The part that is too much, or none at all, and why; None: everything can be sent."""
    match channel:
        case "email" if parts.get("attachments"):
            return _attachments(parts["attachments"])
        case "sms":
            count = len(as_sent(body or "", parts).parts)
            why = f"the text has {count} segments, and {SEGMENTS_MAX} is the most"
            return ("body", why) if count > SEGMENTS_MAX else None
        case "push":
            return _push(subject, body, parts)
        case "webhook":
            size = len(msgspec.json.encode({"subject": subject, "body": body, **parts}))
            why = f"the document has {size:,} bytes, and {DOCUMENT_BYTES_MAX:,} is the most"
            return ("document", why) if size > DOCUMENT_BYTES_MAX else None
        case _ if parts:
            size = len(msgspec.json.encode(parts))
            why = f"the parts have {size:,} bytes as JSON, and {OTHER_BYTES_MAX:,} is the most"
            return (next(iter(parts)), why) if size > OTHER_BYTES_MAX else None
        case _:
            return None


def as_sent(text: str, parts: Mapping[str, Json]) -> SmsSegments:
    """The segments of a text message, as gateways cut it."""
    if parts.get("smartEncoding") is False:
        return segments(text)
    sent = segments(plain(text))
    if sent.foreign is None:
        return sent
    return msgspec.structs.replace(sent, foreign=first_lasting(text) or sent.foreign)


def _push(subject: str | None, body: str | None, parts: Mapping[str, Json]) -> tuple[str, str] | None:
    size = PUSH_BYTES_OURS + len(msgspec.json.encode({"title": subject, "body": body, **parts}))
    if size > PUSH_BYTES_MAX:
        why = f"the notification has {size:,} bytes, and push services take {PUSH_BYTES_MAX:,}"
        return ("data" if parts.get("data") else "body"), why
    return None


def _attachments(given: Iterable[Mapping[str, Any]]) -> tuple[str, str] | None:  # checked as `Attachment`
    total = 0
    for n, each in enumerate(given):
        at = f"attachments/{n}"
        if _HIDDEN & set(each["name"]):
            return f"{at}/name", "a file name has no slash and no control character"
        content, url = each.get("content"), each.get("url")
        if (content is None) == (url is None):
            return at, "give content in base64, or a url, not both"
        if url is not None and not url.startswith(("https://", "http://")):
            return f"{at}/url", "the URL of a file begins with https://"
        if content is not None:
            try:
                total += len(base64.b64decode(content, validate=True))
            except binascii.Error:
                return f"{at}/content", "is not base64"
    if total > ATTACHMENTS_BYTES:
        why = f"they have {total:,} bytes together, and {ATTACHMENTS_BYTES:,} is the most"
        return "attachments", why
    return None
