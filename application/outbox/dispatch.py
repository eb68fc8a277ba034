"""Pointers that are published to a queue, and how they share messages."""

import math
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from application.kernel.ports import Ids
from application.outbox.pointers import Pointer, encode, packed
from application.outbox.ports import OutboxMessage
from domain.kernel.channel import Lane, Priority

RETURNED = "deliver.returned"
"""Queue of messages that the broker dead-lettered by itself; their deliveries are given up."""

_Way = tuple[str, Priority, datetime | None]


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """One pointer to be published to a queue."""

    pointer: Pointer
    queue: str
    priority: Priority
    due: datetime | None = None
    alone: bool = False
    """It concerns one delivery (retry, dead letter): an operator can move it by itself."""


def requeued(pointer: Pointer, lane: Lane, *, due: datetime | None, outcome: str | None) -> Dispatch:
    """Back to its lane: a retry alone, what was not called, or in vain for all, with others."""
    retry = due is not None or outcome not in (None, "not_called", "account_fault")
    return Dispatch(pointer=pointer, queue=lane.queue, priority=lane.urgency, due=due, alone=retry)


def dead_letter(pointer: Pointer, lane: Lane) -> Dispatch:
    """To the lane's dead letters, at once."""
    return Dispatch(pointer=pointer, queue=lane.dead, priority=lane.urgency, alone=True)


def delayed(pointer: Pointer, lane: Lane, wait: timedelta, now: datetime) -> Dispatch:
    """To its lane after a while: in whole seconds, so that those that wait alike travel together."""
    due = now + timedelta(seconds=math.ceil(wait.total_seconds())) if wait > timedelta() else None
    return Dispatch(pointer=pointer, queue=lane.queue, priority=lane.urgency, due=due)


def messages(dispatches: Iterable[Dispatch], ids: Ids) -> list[OutboxMessage]:
    """Pack what may travel together: the same queue at the same time."""
    shared: dict[_Way, list[Pointer]] = defaultdict(list)
    made = []
    for dispatch in dispatches:
        way = (dispatch.queue, dispatch.priority, dispatch.due)
        if dispatch.alone:
            made.append(_message(way, [dispatch.pointer], ids))
        else:
            shared[way].append(dispatch.pointer)
    for way, pointers in shared.items():
        made += [_message(way, chunk, ids) for chunk in packed(pointers)]
    return made


def _message(way: _Way, pointers: list[Pointer], ids: Ids) -> OutboxMessage:
    queue, priority, due = way
    return OutboxMessage(id=ids.next(), queue=queue, body=encode(pointers), priority=priority, due=due)
