"""Messages that are called at the same time share a call, where a provider takes several.

Each caller gets the outcome of its own message.  A call begins as soon as a connection is free, with what
waits then: alone while there is little to do, in full batches under load.  Where not all messages can share a
call, those that can are gathered, and the groups take turns.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field

import msgspec

from application.kernel.supervision import start
from application.provider.ports import OutboundMessage
from domain.provider.outcome import NotCalled, Outcome, Unknown

WAIT_MAX = 1.0
"""Seconds that a message waits for a call.  Later it is not sent: the facts that cleared it are too old."""

Waiting = tuple[OutboundMessage, "asyncio.Future[Outcome]", float]


def _one_group(_: OutboundMessage) -> Hashable:
    return None


@dataclass(slots=True, kw_only=True)
class MessageBatches:
    """Gathers messages for the calls of one account.

    Args:
        call: sends several messages at once; returns their outcomes in the same order and raises nothing of
            its own.
        most: messages of one call.
        at_a_time: calls under way at a time.
        bytes_max: of all contents of one call, roughly.
        group: messages of which it says the same can share a call.
    """

    call: Callable[[Sequence[OutboundMessage]], Awaitable[Sequence[Outcome]]]
    most: int
    at_a_time: int
    bytes_max: int = 8 * 1024 * 1024
    wait_max: float = WAIT_MAX
    group: Callable[[OutboundMessage], Hashable] = _one_group
    _queues: dict[Hashable, deque[Waiting]] = field(default_factory=dict)
    """By group; the first one is next."""
    _running: int = 0
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)

    async def send(self, message: OutboundMessage) -> Outcome:
        """Send it with others; a cancelled caller's message is sent all the same once its call has begun."""
        loop = asyncio.get_running_loop()
        done: asyncio.Future[Outcome] = loop.create_future()
        self._queues.setdefault(self.group(message), deque()).append((message, done, loop.time()))
        if self._running < self.at_a_time:
            self._running += 1
            start("batch of messages", self._run(), among=self._tasks)
        return await done

    async def _run(self) -> None:
        try:
            await asyncio.sleep(0)  # what is called in the same turn of the loop goes along
            while batch := self._next():
                await self._send(batch)
        finally:
            self._running -= 1

    async def _send(self, batch: list[Waiting]) -> None:
        try:
            outcomes = await self.call([message for message, _, _ in batch])
        except Exception as bug:  # noqa: BLE001  ours, and nobody knows how far it came
            outcomes = [Unknown(f"batch: {type(bug).__name__}")] * len(batch)
        for (_, done, _), outcome in zip(batch, outcomes, strict=True):
            if not done.done():
                done.set_result(outcome)

    def _next(self) -> list[Waiting]:
        """The next batch: nobody who has gone, nobody who has waited for too long."""
        while self._queues:
            group = next(iter(self._queues))
            queue = self._queues.pop(group)
            batch = self._taken_from(queue)
            if queue:
                self._queues[group] = queue
            if batch:
                return batch
        return []

    def _taken_from(self, queue: deque[Waiting]) -> list[Waiting]:
        batch: list[Waiting] = []
        size, now = 0, asyncio.get_running_loop().time()
        while queue and len(batch) < self.most:
            message, done, since = queue[0]
            size += _size(message)
            if batch and size > self.bytes_max:
                break
            queue.popleft()
            if done.done():
                continue
            if now - since > self.wait_max:
                done.set_result(NotCalled("no call was free in time"))
                continue
            batch.append((message, done, since))
        return batch


def _size(message: OutboundMessage) -> int:
    """Of all that is long in it: texts, and attachments."""
    parts = len(msgspec.json.encode(message.parts)) if message.parts else 0
    return len(message.body or "") + len(message.html_body or "") + parts
