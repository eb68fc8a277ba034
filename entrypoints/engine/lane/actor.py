"""The delivery actor of one lane: a bounded pipeline from messages to settled deliveries.

    take ─► decode ─► places ─► begin (lease, decide, commit) ─► calls ─► settle ─► ack

Chunks overlap: while one is called, the next is begun.  Nothing is leased before there is a place for it at
its provider.  Trouble of the lane (store away, channel paused) is not trouble of its deliveries: the actor
keeps what it has not begun and goes on when it may.
"""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from application.broker.ports import Received
from application.delivery.probe import Leave
from application.kernel.supervision import start
from application.outbox.pointers import SIZE_MAX
from domain.kernel.channel import Lane
from domain.kernel.errors import BrokerUnavailable, StoreUnavailable, Unavailable
from entrypoints.engine.actor import pause
from entrypoints.engine.lane.capacity import Share
from entrypoints.engine.lane.chunk import Chunks
from entrypoints.engine.lane.congestion import Window
from entrypoints.engine.lane.pausing import Rest
from entrypoints.engine.lane.services import Engine
from entrypoints.engine.lane.unacked import Desk
from entrypoints.engine.lane.unpack import renewed, unpack

T = TypeVar("T")

BEGINNING_MAX = 2
"""Chunks being begun at once: what arrives meanwhile goes into the next, which is the larger for it."""
SETTLES_FIRST = 1.5
"""Seconds between the store's return and the first lease: two tries of every settler.

Leases end while the store is away, though their calls have ended too: who knows how they ended writes it down
before somebody takes them for lost.
"""
LOST_MAX = 5.0
"""Seconds that a lane waits for what is in flight when its subscription is lost.

What ends before it comes again is stale then, and costs nothing; but one slow call must not stop a lane.
"""


@dataclass(slots=True, kw_only=True)
class LaneActor:
    """Works one lane off."""

    lane: Lane
    engine: Engine
    rest: Rest = field(init=False)
    window: Window = field(init=False)
    chunks: Chunks = field(init=False)
    _stopping: asyncio.Event = field(default_factory=asyncio.Event)
    _tasks: set["asyncio.Task[None]"] = field(default_factory=set)
    _quarantining: bool = False
    _store_away: bool = False

    def __post_init__(self) -> None:
        self.window = Window(most=self.engine.slots.total)
        self.rest = Rest(lane=self.name, telemetry=self.engine.telemetry)
        self.chunks = Chunks(
            lane=self.lane,
            engine=self.engine,
            window=self.window,
            rest=self.rest,
            suspecting=self._look_after_suspects,
        )

    @property
    def name(self) -> str:
        """As the queue's."""
        return self.lane.queue

    def stop(self) -> None:
        """Take nothing more, finish what is in hand."""
        self._stopping.set()
        self.rest.halt.set()
        self.chunks.room.set()

    async def run(self) -> None:
        """Consume until stopped; rest while the lane may not run."""
        try:
            while not self._stopping.is_set():
                try:
                    match await self._may():
                        case Leave.RUN:
                            await self._session()
                        case Leave.PROBE:
                            await self._session(probe=True)
                except Unavailable as away:
                    self.rest.because(str(away))
                await self.rest.take(self._stopping)
            await self._finished()
        except asyncio.CancelledError:  # what they wait for may be what is away
            for task in self._tasks:
                task.cancel()
            raise

    async def _able(self) -> bool:
        """Rest when in trouble, in place: what is given back comes nearer to its delivery limit each time."""
        while not self._stopping.is_set():
            if self.rest.reason is None and not self.engine.settler.behind:
                return True
            await self.rest.take(self._stopping)
            if await self._may() is not Leave.RUN:
                break
        return False

    async def _may(self) -> Leave:
        """What the lane may do now; when the store was away, once others could settle first."""
        try:
            able = await self.engine.probe(self.lane)
        except StoreUnavailable:
            self._store_away = True
            raise
        if self._store_away:
            self._store_away = False
            await pause(SETTLES_FIRST, self._stopping)
        return able

    async def _session(self, *, probe: bool = False) -> None:
        prefetch = 1 if probe else self.engine.prefetch
        subscription = await self.engine.consumer.subscribe(self.lane.queue, prefetch, SIZE_MAX)
        desk = Desk(subscription=subscription)
        try:
            await (self._try_one(desk) if probe else self._consume(desk))
        except BrokerUnavailable:
            await self._finished(LOST_MAX)
            raise
        except Exception:
            await self._finished()
            raise
        else:
            await self._finished()
        finally:
            await desk.flushed()
            await subscription.close()

    async def _finished(self, most: float | None = None) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(most):
                while self._tasks:
                    await asyncio.wait(set(self._tasks))

    async def _consume(self, desk: Desk) -> None:
        while not self._stopping.is_set() and await self._able():
            room = self.window.limit - self.chunks.starting if self.chunks.beginning < BEGINNING_MAX else 0
            self._look_after_suspects(desk)
            if desk.unread and len(desk.pending) < self.engine.chunk_max:
                await self._unpack(desk)
            elif desk.pending and room > 0:
                wanted = min(room, self.engine.chunk_max, len(desk.pending))
                if (places := await self._unless_halted(self.chunks.share(wanted))) is not None:
                    self._start(self._chunk(desk, places))
                    await asyncio.sleep(0)  # it counts itself among those being begun
            elif desk.pending:
                self.chunks.room.clear()
                await self.chunks.room.wait()
            else:
                desk.unread.extend(await self._take(desk))

    async def _try_one(self, desk: Desk) -> None:
        """Wait for a message and begin all of it: one delivery is the probe, the others are put back at once.

        So it is acked whatever comes of it: a message that was only looked at would come nearer to its
        delivery limit with each probe.
        """
        for message in await self._take(desk):
            items = await unpack(self.engine, self.lane, desk, message)
            try:
                await self.chunks.work(desk, items)
                self.rest.over()
            except Unavailable:
                raise
            except Exception as own:  # noqa: BLE001  as in `_chunk`
                await self.chunks.isolate(desk, items, own)

    async def _take(self, desk: Desk) -> list[Received]:
        messages = await self._unless_halted(desk.subscription.take(self.engine.prefetch)) or []
        try:
            return await renewed(self.engine, self.lane, desk, messages)
        except Unavailable as away:
            self.rest.because(str(away))
            return messages

    async def _unless_halted(self, work: Coroutine[None, None, T]) -> T | None:
        working = asyncio.ensure_future(work)
        halting = asyncio.ensure_future(self.rest.halt.wait())
        try:
            await asyncio.wait({working, halting}, return_when=asyncio.FIRST_COMPLETED)
            return working.result() if working.done() else None
        finally:
            working.cancel()
            halting.cancel()

    async def _unpack(self, desk: Desk) -> None:
        message = desk.unread.popleft()
        try:
            desk.pending.extend(await unpack(self.engine, self.lane, desk, message))
        except Unavailable as away:
            desk.unread.append(message)
            self.rest.because(str(away))

    def _look_after_suspects(self, desk: Desk) -> None:
        if desk.suspects and not self._quarantining and self.rest.reason is None:
            self._quarantining = True
            self._start(self._quarantine(desk))

    async def _quarantine(self, desk: Desk) -> None:
        """Work the suspects off, a few at a time, beside everything else; they take no places."""
        try:
            while desk.suspects and self.rest.reason is None and not self._stopping.is_set():
                async with self.engine.quarantine:
                    strikes, items = desk.suspected()
                    try:
                        await self.chunks.work(desk, items, strikes_max=strikes)
                    except Unavailable as away:
                        desk.suspect(strikes, items)
                        self.rest.because(str(away))
                    except Exception as own:  # noqa: BLE001  as in `_chunk`
                        await self.chunks.isolate(desk, items, own, strikes)
        finally:
            self._quarantining = False

    def _start(self, work: Coroutine[None, None, None]) -> None:
        start(self.name, work, among=self._tasks)

    async def _chunk(self, desk: Desk, places: Share) -> None:
        items = [desk.pending.popleft() for _ in range(places.left)]
        try:
            await self.chunks.work(desk, items, places)
            self.rest.over()
        except Unavailable as away:
            desk.pending.extendleft(reversed(items))
            self.rest.because(str(away))
        except Exception as own:  # noqa: BLE001  a bug in our own code must not stop the lane
            await self.chunks.isolate(desk, items, own)
        finally:
            self.chunks.started(places)
            self.chunks.done(places, len(items))
