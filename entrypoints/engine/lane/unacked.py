"""Which messages of a subscription are done: a message is acked with the last of its pointers."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from application.broker.ports import Received, Subscription
from application.kernel.supervision import start
from application.outbox.pointers import Pointer
from domain.kernel.errors import BrokerUnavailable

COMPANY = {2: 25, 3: 6}
"""Most suspects in one hand, by their strikes; with more of them, each alone."""


class Ticket:
    """One message in hand."""

    __slots__ = ("left", "tag")

    def __init__(self, tag: int, left: int) -> None:
        self.tag = tag
        self.left = left


Item = tuple[Pointer, Ticket]


@dataclass(slots=True, kw_only=True)
class Desk:
    """The messages of one subscription, and the acks to send; acks of one moment go together."""

    subscription: Subscription
    unread: deque[Received] = field(default_factory=deque)
    pending: deque[Item] = field(default_factory=deque)
    """Read, but not begun."""
    suspects: dict[int, deque[Item]] = field(default_factory=dict)
    """By strikes: what workers have died with more than once.  A few at a time in a process, or what is in
    flight beside the one that kills would be struck with it."""
    _done: list[int] = field(default_factory=list)
    _flushing: "asyncio.Task[None] | None" = None
    _flushes: set["asyncio.Task[None]"] = field(default_factory=set)

    def suspect(self, strikes: int, items: Iterable[Item]) -> None:
        """These are to be worked apart."""
        self.suspects.setdefault(strikes, deque()).extend(items)

    def suspected(self) -> tuple[int, list[Item]]:
        """The next suspects to be worked together, and how many strikes they have.

        Those with the fewest go first: most of them are innocent, and gone with their next lease.
        """
        strikes = min(self.suspects)
        waiting = self.suspects[strikes]
        items = [waiting.popleft() for _ in range(min(len(waiting), COMPANY.get(strikes, 1)))]
        if not waiting:
            del self.suspects[strikes]
        return strikes, items

    def finish(self, tickets: Iterable[Ticket]) -> None:
        """One pointer of each ticket is done."""
        for ticket in tickets:
            ticket.left -= 1
            if ticket.left == 0:
                self._done.append(ticket.tag)
        if self._done and (self._flushing is None or self._flushing.done()):
            self._flushing = start("acks", self._flush(), among=self._flushes)

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
