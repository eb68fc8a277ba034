"""The consumer of one queue whose messages are handled in batches: shop events, commands of the intake.

    take ─► decode ─► handle the batch (one commit) ─► park what cannot be processed ─► ack

Batches overlap: while one is committed, the next is read.  When the database is away the messages are kept,
not given back, and no new subscription is opened: each return to the broker would count towards its delivery
limit, and a broker takes back what is not acked within half an hour.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from application.broker.ports import LARGEST, Consumer, Received, Subscription
from application.kernel.ports import Clock
from domain.kernel.errors import BrokerUnavailable, Unavailable
from entrypoints.engine.actor import pause, unless
from entrypoints.engine.consumer.disposition import Wait
from entrypoints.engine.consumer.finish import Worked
from entrypoints.engine.telemetry import Telemetry

_SUBSCRIBE_AGAIN = 1.0
_WAIT_MIN, _WAIT_MAX = 0.2, 5.0
PREFETCHED_BYTES = 128 * 1024 * 1024
"""Bytes of unread messages of one queue that the broker may hand out ahead."""
BATCH_BYTES = 1024 * 1024
"""Bytes that are decoded at a time: JSON takes many times its length in memory."""


class Batches(Protocol):
    """What is done with the messages of a queue."""

    @property
    def telemetry(self) -> Telemetry:
        """Where it is reported."""
        ...

    async def work(self, queue: str, subscription: Subscription, messages: Sequence[Received]) -> Worked:
        """Handle; ack what is done; park and ack what cannot be processed.

        Raises:
            BrokerUnavailable: an ack was lost: these come again.
        """
        ...


async def _nothing_to_ask() -> None:
    """The probe of a consumer that depends on no other part."""


@dataclass(slots=True, kw_only=True)
class BatchConsumer:
    """An actor: one for each queue, so that critical events never wait behind ordinary ones.

    Args:
        name: of the queue.
        probe: asked before a subscription is opened; raises `Unavailable` while it could not go on.
        does: what it does, for logs: `does.handled`, `does.waiting`.
        batch_max: most messages handled together.
        largest: bytes of a message; larger ones are left to the broker, which parks them.
        batches_max: batches in hand at once.
    """

    name: str
    consumer: Consumer
    batches: Batches
    clock: Clock
    probe: Callable[[], Awaitable[object]] = _nothing_to_ask
    does: str = "events"
    batch_max: int = 200
    batches_max: int = 3
    largest: int = LARGEST
    ready: bool = False
    """It is subscribed, and could handle what it took last."""
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when this subscription ends: then nobody waits any more for a part that is away."""

    def stop(self) -> None:
        """Take nothing more, finish what is in hand."""
        self._stopping.set()
        self._closing.set()

    async def run(self) -> None:
        """Consume until stopped; subscribe again whenever the broker is back."""
        while not self._stopping.is_set():
            try:
                await self.probe()
                await self._session()
            except Unavailable as away:
                self._trouble("waiting", reason=str(away))
                await pause(_SUBSCRIBE_AGAIN, self._stopping)

    async def _session(self) -> None:
        """One subscription, from its beginning to its end.

        Raises:
            BrokerUnavailable: it could not be had, or was lost.
        """
        prefetch = min(self.batch_max * (self.batches_max + 1), max(PREFETCHED_BYTES // self.largest, 1))
        subscription = await self.consumer.subscribe(self.name, prefetch, self.largest)
        if not self._stopping.is_set():
            self._closing.clear()
        self.ready = True
        tasks: set[asyncio.Task[None]] = set()
        try:
            await self._consume(subscription, tasks)
        except asyncio.CancelledError:
            for task in tasks:
                task.cancel()
            raise
        finally:
            self.ready = False
            self._closing.set()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
            with suppress(BrokerUnavailable):
                await subscription.close()
        for end in ended:
            if end is not None:
                raise end

    async def _consume(self, subscription: Subscription, tasks: set["asyncio.Task[None]"]) -> None:
        while not self._closing.is_set():
            if len(tasks) < self.batches_max:
                if messages := await self._take(subscription):
                    tasks.add(asyncio.create_task(self._batch(subscription, messages)))
            else:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in [task for task in tasks if task.done()]:
                tasks.discard(task)
                task.result()

    async def _take(self, subscription: Subscription) -> list[Received]:
        """Messages, or none when the subscription is to end."""
        return await unless(self._closing, subscription.take(self.batch_max, BATCH_BYTES)) or []

    async def _batch(self, subscription: Subscription, messages: Sequence[Received]) -> None:
        """Work on messages until all are acked, or the subscription ends."""
        try:
            if large := [message for message in messages if message.cut]:
                await subscription.refuse([message.tag for message in large])
                self._trouble(
                    "too_large",
                    messages=len(large),
                    size=max(message.cut for message in large),
                    limit=self.largest,
                )
                messages = [message for message in messages if not message.cut]
            if messages:
                await self._until_done(subscription, messages)
        except BrokerUnavailable:
            self._closing.set()  # or the pipeline would wait for messages that cannot come
            raise

    async def _until_done(self, subscription: Subscription, messages: Sequence[Received]) -> None:
        began = self.clock.monotonic()
        left, traces = messages, list[str]()
        counts: Counter[str] = Counter()
        wait = _WAIT_MIN
        while left:
            worked = await self.batches.work(self.name, subscription, left)
            counts += worked.counts
            traces = traces or worked.traces
            left = [message for message, _ in worked.left]
            self.ready = not left and not self._closing.is_set()
            if left:
                reason = next((v.reason for _, v in worked.left if isinstance(v, Wait)), "cannot park")
                self._trouble("waiting", reason=reason, messages=len(left))
                await pause(wait, self._closing)
                wait = min(wait * 2, _WAIT_MAX)
                if self._closing.is_set():
                    return
        seconds = self.clock.monotonic() - began
        self.batches.telemetry.stage(self.does, seconds)
        self.batches.telemetry.wide(
            f"{self.does}.handled",
            queue=self.name,
            taken=len(messages),
            seconds=round(seconds, 4),
            traces=traces,
            **counts,
        )

    def _trouble(self, what: str, **fields: object) -> None:
        self.batches.telemetry.trouble(f"{self.does}.{what}", queue=self.name, **fields)
