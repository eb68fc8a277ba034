"""Which messages of a subscription are done: a message is acked with the last of its pointers."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice
from uuid import UUID

from application.messages.pointers import Pointer
from application.ports.broker import Received, Subscription
from domain.kernel.errors import BrokerUnavailable

SUSPECT = 2
"""Strikes."""


class Ticket:
    """One message in hand."""

    __slots__ = ("left", "strikes", "tag")

    def __init__(self, tag: int, left: int, strikes: int = 0) -> None:
        self.tag = tag
        self.left = left
        self.strikes = strikes


Item = tuple[Pointer, Ticket]


@dataclass(slots=True, kw_only=True)
class Desk:
    """The messages of one subscription, and the acks to send; acks of one moment go together."""

    subscription: Subscription
    unread: deque[Received] = field(default_factory=deque)
    pending: deque[Item] = field(default_factory=deque)
    """Read, but not begun."""
    suspects: deque[list[Item]] = field(default_factory=deque)
    """Messages in whose company workers have died more than once: worked one at a time in a process, or what
    is in flight beside the one that kills would be struck with it."""
    _done: list[int] = field(default_factory=list)
    _flushing: "asyncio.Task[None] | None" = None

    def put(self, items: list[Item]) -> None:
        """The pointers of a message, to be begun."""
        if items and items[0][1].strikes >= SUSPECT:
            self.suspects.append(items)
        else:
            self.pending.extend(items)

    def together(self, most: int) -> int:
        """How many from the head of `pending` may share a chunk: a message with strikes goes by itself."""
        head = self.pending[0][1]
        count = 0
        for _, ticket in islice(self.pending, most):
            if ticket is not head and (ticket.strikes or head.strikes):
                break
            count += 1
        return count

    def finish(self, tickets: Iterable[Ticket]) -> None:
        """One pointer of each ticket is done."""
        for ticket in tickets:
            ticket.left -= 1
            if ticket.left == 0:
                self._done.append(ticket.tag)
        if self._done and (self._flushing is None or self._flushing.done()):
            self._flushing = asyncio.create_task(self._flush())

    async def flushed(self) -> None:
        """Wait until every ack so far is sent."""
        if self._flushing is not None:
            await self._flushing

    async def _flush(self) -> None:
        while self._done:
            tags, self._done = self._done, []
            try:
                await self.subscription.ack(tags)
            except BrokerUnavailable:
                return  # they come again, and are stale then


def by_delivery(items: Iterable[Item]) -> dict[UUID, list[Item]]:
    """The items of each delivery: all wait until it is settled, whichever pointer was the good one."""
    found: dict[UUID, list[Item]] = defaultdict(list)
    for item in items:
        found[item[0].delivery].append(item)
    return found
