"""Remove stale messages from a lane's dead-letter queue: their dead letters were closed.

Each message is read once.  Messages that stay are not acked and return to their place at the end, so that
nothing is lost, whatever happens meanwhile.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

import msgspec

from application.broker.ports import Consumer, QueueSizes, Received, Subscription
from application.dead_letter.ports import DeadLetterReader
from application.outbox.pointers import SIZE_MAX, Pointer, decode
from domain.kernel.errors import Undecodable

WINDOW = 2_000
"""Unacked messages of one subscription; after that another one continues behind them."""
BATCH = 250
QUIET = 3.0
"""Seconds without a message after which the queue counts as read to its end."""


class Compacted(msgspec.Struct, frozen=True, kw_only=True):
    """The numbers of messages read, kept and removed so far."""

    queue: str
    messages: int
    """Messages in the queue at the start; later ones are not read."""
    stale: int = 0
    kept: int = 0
    unreadable: int = 0
    removed: int = 0

    @property
    def seen(self) -> int:
        """Messages looked at."""
        return self.stale + self.kept + self.unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactQueue:
    """Memory is bounded: a message is forgotten once it is judged."""

    consumer: Consumer
    sizes: QueueSizes
    dead_letters: DeadLetterReader
    window: int = WINDOW

    async def __call__(
        self, queue: str, *, remove: bool, unreadable: bool = False
    ) -> AsyncIterator[Compacted]:
        """Go through a queue once; yields how far it has come, at least once.

        Args:
            remove: what is stale; False: only count.
            unreadable: remove, too, what nobody can read.

        Raises:
            NotFound: no such queue.
            Unavailable: what was removed is removed, the rest is as before.
        """
        tally = Compacted(queue=queue, messages=await self.sizes.size(queue))
        yield tally
        async with AsyncExitStack() as stack:
            while tally.seen < tally.messages:
                window = await self.consumer.subscribe(queue, self.window, SIZE_MAX)
                stack.push_async_callback(window.close)
                held = 0
                while held < self.window and tally.seen < tally.messages:
                    wanted = min(BATCH, self.window - held, tally.messages - tally.seen)
                    batch = await _take(window, wanted)
                    if not batch:
                        return
                    gone, tally = await self._judge(batch, tally, remove=remove, unreadable=unreadable)
                    await window.ack(gone)
                    held += len(batch) - len(gone)
                    yield tally

    async def _judge(
        self, batch: Sequence[Received], tally: Compacted, *, remove: bool, unreadable: bool
    ) -> tuple[list[int], Compacted]:
        """The tags of those that go, and the new tally."""
        read = [(message.tag, _pointers(message)) for message in batch]
        needed = await self.dead_letters.needed([pointer for _, pointers in read for pointer in pointers])
        illegible = [tag for tag, pointers in read if not pointers]
        stale = [tag for tag, pointers in read if pointers and needed.isdisjoint(pointers)]
        gone = [*(stale if remove else ()), *(illegible if remove and unreadable else ())]
        return gone, msgspec.structs.replace(
            tally,
            stale=tally.stale + len(stale),
            unreadable=tally.unreadable + len(illegible),
            kept=tally.kept + len(batch) - len(stale) - len(illegible),
            removed=tally.removed + len(gone),
        )


async def _take(window: Subscription, wanted: int) -> list[Received]:
    try:
        async with asyncio.timeout(QUIET):
            return await window.take(wanted)
    except TimeoutError:
        return []


def _pointers(message: Received) -> list[Pointer]:
    try:
        return decode(message.body)
    except Undecodable:
        return []
