"""The unacked messages of a lane's subscription: a message is acked with the last of its pointers."""

import asyncio
from collections import defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from application.broker.ports import Received, Subscription
from application.kernel.supervision import start
from application.outbox.pointers import Pointer
from domain.kernel.errors import BrokerUnavailable

STRUCK_TOGETHER = {2: 25, 3: 6}
"""How many struck deliveries are worked on together, by their strikes; with more strikes, each alone."""


class UnackedMessage:
    """One message, and how many of its pointers are not done yet."""

    __slots__ = ("left", "tag")

    def __init__(self, tag: int, left: int) -> None:
        self.tag = tag
        self.left = left


Item = tuple[Pointer, UnackedMessage]


@dataclass(slots=True, kw_only=True)
class Unacked:
    """What was taken from one subscription and is not acked; acks of one moment are sent together."""

    subscription: Subscription
    unread: deque[Received] = field(default_factory=deque)
    """Messages that are not decoded yet."""
    pending: deque[Item] = field(default_factory=deque)
    """Pointers that are not begun yet."""
    struck: dict[int, deque[Item]] = field(default_factory=dict)
    """By strikes: pointers with which workers have died more than once.  They are worked on a few at a time,
    or each death would count against everything that was in flight beside the one that kills."""
    _done: list[int] = field(default_factory=list)
    _flushing: "asyncio.Task[None] | None" = None
    _flushes: set["asyncio.Task[None]"] = field(default_factory=set)

    def put_aside(self, strikes: int, items: Iterable[Item]) -> None:
        """These have strikes, and are worked on apart."""
        self.struck.setdefault(strikes, deque()).extend(items)

    def next_struck(self) -> tuple[int, list[Item]]:
        """The struck deliveries to be worked on together next, and how many strikes they have.

        Those with the fewest go first: most of them are innocent, and gone with their next lease.
        """
        strikes = min(self.struck)
        waiting = self.struck[strikes]
        count = min(len(waiting), STRUCK_TOGETHER.get(strikes, 1))
        items = [waiting.popleft() for _ in range(count)]
        if not waiting:
            del self.struck[strikes]
        return strikes, items

    def finish(self, messages: Iterable[UnackedMessage]) -> None:
        """One pointer of each of these messages is done; a message stands there once for each pointer."""
        for message in messages:
            message.left -= 1
            if message.left == 0:
                self._done.append(message.tag)
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
                return  # the messages come again, and their pointers are stale then


def by_delivery(items: Iterable[Item]) -> dict[UUID, list[Item]]:
    """The items of each delivery: all of them wait until it is settled, whichever pointer was valid."""
    found: dict[UUID, list[Item]] = defaultdict(list)
    for item in items:
        found[item[0].delivery].append(item)
    return found
