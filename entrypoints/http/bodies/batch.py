"""The body of a batch, taken apart so that a bad item does not spoil the others."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from domain.kernel.errors import Fault, Invalid
from entrypoints.http.bodies.notification import NotificationIn, in_body
from entrypoints.http.reading.body import Body, plain
from entrypoints.http.reading.hygiene import unfit
from entrypoints.http.reading.shape import misshapen

ITEMS_MAX = 1_000
BATCH_BYTES_MAX = 4 * 1024 * 1024

_Few = Meta(min_length=1, max_length=ITEMS_MAX)


class BatchIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Many notifications, each accepted or refused on its own."""

    notifications: Annotated[list[NotificationIn], _Few]


class _Unread(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    notifications: Annotated[list[msgspec.Raw], _Few]


class _Plain(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    notifications: Annotated[list[Any], _Few]


_unread = msgspec.json.Decoder(_Unread)
_item = Body(NotificationIn)


def items(body: bytes) -> Iterator[NotificationIn | Invalid]:
    """Each item, or what is wrong with it; pointers lead into the item.

    Raises:
        Refused: not JSON.
        Invalid: not a batch at all.
    """
    try:
        unread = _unread.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        # A lone surrogate somewhere, say: msgspec cannot tell in which item, the slow way can.
        value = plain(body)
        if faults := list(misshapen(value, _Plain)):
            raise Invalid(*faults) from None
        yield from map(_checked, value["notifications"])
    else:
        for raw in unread.notifications:
            try:
                yield _item.decode(bytes(raw))
            except Invalid as refused:
                yield refused


def _checked(value: Any) -> NotificationIn | Invalid:
    faults = [*unfit(value), *misshapen(value, NotificationIn)]
    return Invalid(*faults) if faults else msgspec.convert(value, NotificationIn)


def in_batch(refused: Invalid, n: int, body: NotificationIn | None) -> Invalid:
    """The same faults, with pointers that lead into the whole batch."""
    faults: Sequence[Fault] = in_body(refused.faults, body) if body else refused.faults
    return Invalid(*(Fault(f"/notifications/{n}{f.pointer}", f.code, f.detail) for f in faults))
