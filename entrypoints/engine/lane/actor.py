"""The delivery actor of one lane: a bounded pipeline from messages to settled deliveries.

    take ─► decode ─► permits ─► begin (lease, decide, commit) ─► calls ─► settle ─► ack

Chunks overlap: while one is called, the next is begun.  Nothing is leased before its provider can take it.
Trouble of the lane (the store is away, the channel is paused) is not trouble of its deliveries: the actor
keeps what it has not begun, pauses, and goes on when it may.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field

from application.broker.ports import Received
from application.delivery.probe import LanePermission
from application.kernel.supervision import start
from application.outbox.pointers import SIZE_MAX
from domain.kernel.channel import Lane
from domain.kernel.errors import BrokerUnavailable, StoreUnavailable, Unavailable
from entrypoints.engine.actor import pause, unless
from entrypoints.engine.lane.capacity import Grant
from entrypoints.engine.lane.chunk import Chunks
from entrypoints.engine.lane.congestion import CongestionWindow
from entrypoints.engine.lane.pausing import LanePauses
from entrypoints.engine.lane.services import LaneServices
from entrypoints.engine.lane.unacked import Unacked
from entrypoints.engine.lane.unpack import renewed, unpack

BEGINNING_MAX = 2
"""Most chunks that are being begun at a time: what arrives meanwhile makes the next chunk larger."""
SETTLES_FIRST = 1.5
"""Seconds between the store's return and the first lease: two tries of every settler.

While the store is away leases run out, and calls end whose outcome cannot be written.  The settlers of all
processes get time to write it before anybody leases those deliveries again.
"""
LOST_MAX = 5.0
"""Seconds that a lane waits for what is in flight when its subscription is lost.

What is settled before its message comes again is found stale then and costs nothing; but one slow call must
not stop the lane.
"""


@dataclass(slots=True, kw_only=True)
class LaneActor:
    """Works on the messages of one lane until it is stopped."""

    lane: Lane
    services: LaneServices
    lost_max: float = LOST_MAX
    pauses: LanePauses = field(init=False)
    window: CongestionWindow = field(init=False)
    chunks: Chunks = field(init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _quarantining: bool = False
    _store_away: bool = False

    def __post_init__(self) -> None:
        self.window = CongestionWindow(most=self.services.in_work.total)
        self.pauses = LanePauses(lane=self.name, telemetry=self.services.telemetry)
        self.chunks = Chunks(
            lane=self.lane,
            services=self.services,
            window=self.window,
            pauses=self.pauses,
            on_struck=self._look_after_struck,
        )

    @property
    def name(self) -> str:
        """The name of its queue."""
        return self.lane.queue

    def stop(self) -> None:
        """Take nothing more, finish what is in hand."""
        self._stopping.set()
        self.pauses.wake.set()
        self.chunks.room.set()

    async def run(self) -> None:
        """Consume until stopped; pause while the lane may not run."""
        try:
            while not self._stopping.is_set():
                try:
                    match await self._may():
                        case LanePermission.RUN:
                            await self._session()
                        case LanePermission.PROBE:
                            await self._session(probe=True)
                        case LanePermission.PAUSE:
                            pass
                except Unavailable as away:
                    self.pauses.ask(str(away))
                await self.pauses.wait(self._stopping)
            await self._finished()
        except asyncio.CancelledError:  # cancel the chunks too: they may wait for the part that is away
            for task in self._tasks:
                task.cancel()
            raise

    async def _able(self) -> bool:
        """Pause while there is trouble.  Messages are kept: each return would count towards their limit."""
        while not self._stopping.is_set():
            if self.pauses.reason is None and not self.services.settler.behind:
                return True
            await self.pauses.wait(self._stopping)
            if await self._may() is not LanePermission.RUN:
                break
        return False

    async def _may(self) -> LanePermission:
        """What the lane may do now.  After the store was away, first gives the settlers time to write."""
        try:
            able = await self.services.probe(self.lane)
        except StoreUnavailable:
            self._store_away = True
            raise
        if self._store_away:
            self._store_away = False
            await pause(SETTLES_FIRST, self._stopping)
        return able

    async def _session(self, *, probe: bool = False) -> None:
        prefetch = 1 if probe else self.services.prefetch
        subscription = await self.services.consumer.subscribe(self.lane.queue, prefetch, SIZE_MAX)
        unacked = Unacked(subscription=subscription)
        try:
            await (self._try_one(unacked) if probe else self._consume(unacked))
        except BrokerUnavailable:
            await self._finished(self.lost_max)
            raise
        except Exception:
            await self._finished()
            raise
        else:
            await self._finished()
        finally:
            await unacked.flushed()
            await subscription.close()

    async def _finished(self, most: float | None = None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(most):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))

    async def _consume(self, unacked: Unacked) -> None:
        while not self._stopping.is_set() and await self._able():
            room = self.window.limit - self.chunks.starting if self.chunks.beginning < BEGINNING_MAX else 0
            self._look_after_struck(unacked)
            if unacked.unread and len(unacked.pending) < self.services.chunk_max:
                await self._unpack(unacked)
            elif unacked.pending and room > 0:
                wanted = min(room, self.services.chunk_max, len(unacked.pending))
                if (grant := await unless(self.pauses.wake, self.chunks.acquire(wanted))) is not None:
                    self._start(self._chunk(unacked, grant))
                    await asyncio.sleep(0)  # now it has counted itself in `beginning`
            elif unacked.pending:
                self.chunks.room.clear()
                await self.chunks.room.wait()
            else:
                unacked.unread.extend(await self._take(unacked))

    async def _try_one(self, unacked: Unacked) -> None:
        """Probe a resting provider: take one message and begin all of it.

        `begin` calls for one delivery and postpones the others, so the message is acked whatever comes of it.
        One that was only looked at would come nearer to its delivery limit with each probe.
        """
        for message in await self._take(unacked):
            items = await unpack(self.services, self.lane, unacked, message)
            try:
                await self.chunks.work(unacked, items)
                self.pauses.succeeded()
            except Unavailable:
                raise
            except Exception as own:  # noqa: BLE001  as in `_chunk`
                await self.chunks.isolate(unacked, items, own)

    async def _take(self, unacked: Unacked) -> list[Received]:
        messages = await unless(self.pauses.wake, unacked.subscription.take(self.services.prefetch)) or []
        try:
            return await renewed(self.services, self.lane, unacked, messages)
        except Unavailable as away:
            self.pauses.ask(str(away))
            return messages

    async def _unpack(self, unacked: Unacked) -> None:
        message = unacked.unread.popleft()
        try:
            unacked.pending.extend(await unpack(self.services, self.lane, unacked, message))
        except Unavailable as away:
            unacked.unread.append(message)
            self.pauses.ask(str(away))

    def _look_after_struck(self, unacked: Unacked) -> None:
        if unacked.struck and not self._quarantining and self.pauses.reason is None:
            self._quarantining = True
            self._start(self._quarantine(unacked))

    async def _quarantine(self, unacked: Unacked) -> None:
        """Work on the struck deliveries, a few at a time, beside everything else; they need no permits."""
        try:
            while unacked.struck and self.pauses.reason is None and not self._stopping.is_set():
                async with self.services.quarantine:
                    strikes, items = unacked.next_struck()
                    try:
                        await self.chunks.work(unacked, items, strikes_max=strikes)
                    except Unavailable as away:
                        unacked.put_aside(strikes, items)
                        self.pauses.ask(str(away))
                    except Exception as own:  # noqa: BLE001  as in `_chunk`
                        await self.chunks.isolate(unacked, items, own, strikes)
        finally:
            self._quarantining = False

    def _start(self, work: Coroutine[None, None, None]) -> None:
        start(self.name, work, among=self._tasks)

    async def _chunk(self, unacked: Unacked, grant: Grant) -> None:
        items = [unacked.pending.popleft() for _ in range(grant.left)]
        try:
            await self.chunks.work(unacked, items, grant)
            self.pauses.succeeded()
        except Unavailable as away:
            unacked.pending.extendleft(reversed(items))
            self.pauses.ask(str(away))
        except Exception as own:  # noqa: BLE001  a bug in our own code must not stop the lane
            await self.chunks.isolate(unacked, items, own)
        finally:
            self.chunks.started(grant)
            self.chunks.done(grant, len(items))
