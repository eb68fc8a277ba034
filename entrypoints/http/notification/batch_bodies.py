"""The body of a batch, taken apart so that a bad item does not spoil the others."""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from domain.kernel.errors import Fault, Invalid, hold
from domain.kernel.json_values import Json
from entrypoints.http.kit.faults import fault_of, shape_faults
from entrypoints.http.kit.json_body import JsonBody, plain
from entrypoints.http.notification.bodies import NotificationIn, in_body
from entrypoints.http.server.read_body import BODY_MAX

ITEMS_MAX = 1_000
BATCH_BYTES_MAX = 4 * 1024 * 1024
_Few = Meta(min_length=1, max_length=ITEMS_MAX)


class BatchIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many notifications, each accepted or refused on its own."""

    notifications: Annotated[list[NotificationIn], _Few]


class _Unread(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    notifications: Annotated[list[msgspec.Raw], _Few]


class _Hollow(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    notifications: Annotated[list[Json], _Few]


_unread = msgspec.json.Decoder(_Unread)
_item = JsonBody(NotificationIn)


def items(body: bytes) -> Iterator[NotificationIn | Invalid]:
    """Each item, or what is wrong with it; pointers lead into the item.

    Raises:
        Rejected: not JSON.
        Invalid: not a batch at all.
    """
    try:
        unread = _unread.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as refusal:
        if isinstance(refusal, msgspec.ValidationError) and len(body) > BODY_MAX:  # no batch: not worth more
            raise Invalid(fault_of(str(refusal), None, list, "")) from None
        # A lone surrogate somewhere, say: msgspec cannot tell in which item, the slow way can.
        value = plain(body)
        hold(shape_faults(_hollow(value), _Hollow))
        for item in value["notifications"]:
            yield _attempted(_checked, item, len(json.dumps(item)))
    else:
        for raw in unread.notifications:
            yield _attempted(_item.decode, bytes(raw), len(raw))


def _hollow(value: Json) -> Json:
    """The same without its items: each is looked at alone."""
    match value:
        case {"notifications": list(inside)}:
            return {**value, "notifications": [None] * len(inside)}
        case _:
            return value


def _attempted(read: Callable[[Json], NotificationIn], item: Json, size: int) -> NotificationIn | Invalid:
    """One item; in a batch it may be no larger than alone."""
    if size > BODY_MAX:
        return Invalid(Fault("", "too_large", f"an item has at most {BODY_MAX // 1024} KiB"))
    try:
        return read(item)
    except Invalid as refused:
        return refused


def _checked(value: Json) -> NotificationIn:
    hold(shape_faults(value, NotificationIn))
    return msgspec.convert(value, NotificationIn)


def in_batch(refused: Invalid, n: int, body: NotificationIn | None) -> Invalid:
    """The same faults, with pointers that lead into the whole batch."""
    faults: Sequence[Fault] = in_body(refused.faults, body) if body else refused.faults
    return Invalid(*(Fault(f"/notifications/{n}{f.pointer}", f.code, f.detail) for f in faults))
