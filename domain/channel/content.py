"""What a message needs on its channel, and what its parts may be: in a request, in a template, rendered.

In a template any text within the parts may be a template itself; what comes out is read as what the part is
(`"badge": "{{ unread }}"`), and a part that comes out empty is left out.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from datetime import timedelta
from decimal import Decimal

import msgspec

from domain.channel.limits import OTHER_BYTES_MAX, TTL_MAX
from domain.channel.parts import PARTS
from domain.kernel.errors import Fault, Invalid
from domain.kernel.json_values import Json, below

TEXTS_MAX = 200
"""Texts within the parts of a template that may be templates."""
_OPENING = re.compile(r"\{[{%#]")


def is_template(text: str) -> bool:
    """Whether there is anything to be filled in."""
    return _OPENING.search(text) is not None


def texts(parts: Json, at: str) -> Iterator[tuple[str, str]]:
    """The texts within parts that are templates, by their JSON pointers."""
    match parts:
        case str() if is_template(parts):
            yield at, parts
        case dict():
            for name, each in parts.items():
                yield from texts(each, below(at, name))
        case list() | tuple():
            for n, each in enumerate(parts):
                yield from texts(each, below(at, n))
        case _:
            pass


def filled_in(parts: Json, at: str, words: Mapping[str, str]) -> Json:
    """The parts with what their templates came to, by JSON pointer."""
    match parts:
        case str():
            return words.get(at, parts)
        case dict():
            return {name: filled_in(each, below(at, name), words) for name, each in parts.items()}
        case list() | tuple():
            return [filled_in(each, below(at, n), words) for n, each in enumerate(parts)]
        case _:
            return parts


def part_faults(
    channel: str, parts: Mapping[str, Json], at: str, *, template: bool = False
) -> Iterator[Fault]:
    """Everything wrong with the parts of a request or a template.

    Args:
        template: texts within may be templates, so that what they come to is checked later.
    """
    if template:
        yield from _text_faults(parts, at)
    known = PARTS.get(channel)
    if known is None:
        if len(msgspec.json.encode(parts)) > OTHER_BYTES_MAX:
            yield Fault(at, "too_large", f"more than {OTHER_BYTES_MAX:,} bytes of JSON")
        return
    fields = {field.encode_name: field for field in msgspec.structs.fields(known)}
    for name, value in parts.items():
        if name not in fields:
            detail = f"there is no such part on {channel}: there are {', '.join(fields)}"
            yield Fault(below(at, name), "unknown_field", detail)
        elif not (template and any(texts(value, ""))):
            try:
                read = msgspec.convert(value, fields[name].type)
            except msgspec.ValidationError as refusal:
                yield _fault(str(refusal), below(at, name))
                continue
            if name == "ttl" and (bad := _bad_ttl(read)):
                yield Fault(below(at, name), "bad_value", bad)


def typed(channel: str, parts: Mapping[str, Json]) -> dict[str, Json]:
    """Rendered parts as what they are: numbers are numbers, and what came out empty is left out.

    Raises:
        Invalid: they do not fit the channel; pointers begin with `/data`, which they were made of.
    """
    given = {name: value for name, value in parts.items() if value not in ("", None)}
    known = PARTS.get(channel)
    if known is None:
        return given
    try:
        read = msgspec.convert(given, known, strict=False)
    except msgspec.ValidationError as refusal:
        fault = _fault(str(refusal), "")
        raise Invalid(Fault("/data", fault.code, f"parts{fault.pointer}: {fault.detail}")) from None
    if detail := _bad_ttl(getattr(read, "ttl", None)):
        raise Invalid(Fault("/data", "bad_value", f"parts/ttl: {detail}"))
    made: dict[str, Json] = msgspec.to_builtins(read, builtin_types=(Decimal,))
    return made


def sender_faults(
    channel: str, parts: Mapping[str, Json], at: str, senders: Collection[str]
) -> Iterator[Fault]:
    """A sender that is not configured; of a template, one that is not known before it is rendered is none."""
    named = parts.get("sender") if channel == "email" else None
    if isinstance(named, str) and named not in senders and not is_template(named):
        known = f"there are {', '.join(sorted(senders))}" if senders else "none is configured"
        yield Fault(f"{at}/sender", "unknown_sender", f"no sender has the name '{named[:64]}': {known}")


def _text_faults(parts: Mapping[str, Json], at: str) -> Iterator[Fault]:
    """What keeps the texts in a template's parts from being rendered, each for itself."""
    found = [where for where, _ in texts(parts, at)]
    if any(where.endswith("/…") for where in found):
        yield Fault(at, "too_large", "it has names that are too long")
    if len(found) > TEXTS_MAX:
        yield Fault(at, "too_large", f"{len(found):,} texts with tags in them, {TEXTS_MAX} are taken")


def lacking(channel: str, subject: str | None, body: str | None, html: str | None, parts: Json) -> str | None:
    """What a message needs on this channel and does not have; None: it has all."""
    text = bool(body or html)
    match channel:
        case "email":
            return None if text else "an e-mail needs a body or an htmlBody"
        case "sms":
            return None if body else "a text message needs a body"
        case "push":
            return None if subject or body or parts else "a push notification needs a subject, a body or data"
        case "in_app":
            return None if subject or body else "an in-app message needs a subject or a body"
        case "webhook":
            return None if text or parts else "a webhook needs parts.webhook.document, or a body"
        case _:
            return None if text or parts else "give a templateId, or a body or htmlBody"


def _bad_ttl(ttl: timedelta | None) -> str | None:
    return None if ttl is None or timedelta() <= ttl <= TTL_MAX else f"0 to {TTL_MAX.days} days are taken"


def _fault(message: str, at: str) -> Fault:
    """msgspec's own words as a fault."""
    detail, _, where = message.replace("`", "").partition(" - at ")
    path = where.removeprefix("$").partition("[...")[0].replace("[", "/").replace("]", "").replace(".", "/")
    code = "bad_type" if ", got" in detail else "bad_length" if "length" in detail else "bad_value"
    return Fault(f"{at}{path}", code, detail)
