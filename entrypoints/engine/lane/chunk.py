"""One chunk of a lane: pointers that are begun together, called at once, and settled and acked as they end.

Each delivery gives its permits back as soon as it is settled: none waits for the slowest of its chunk.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from application.delivery.begin import Begun
from application.delivery.committed import CommittedCall
from application.delivery.ports import STRIKES_FREE, Settlement, StruckDelivery
from application.outbox.pointers import Pointer
from domain.kernel.channel import Lane
from domain.kernel.errors import Unavailable
from entrypoints.engine.lane.capacity import Grant, ProviderCapacity, acquire_grant
from entrypoints.engine.lane.congestion import CallStarts, CongestionWindow
from entrypoints.engine.lane.pausing import LanePauses
from entrypoints.engine.lane.poison import give_up
from entrypoints.engine.lane.services import LaneServices
from entrypoints.engine.lane.unacked import Item, Unacked, UnackedMessage, by_delivery
from entrypoints.engine.telemetry import trace_ids


@dataclass(slots=True, kw_only=True)
class Chunks:
    """Works on the chunks of one lane; several overlap.

    Args:
        on_struck: called when struck deliveries were put aside; must see to it that they are worked on.
    """

    lane: Lane
    services: LaneServices
    window: CongestionWindow
    pauses: LanePauses
    on_struck: Callable[[Unacked], None]
    starting: int = 0
    """Pointers of the chunks whose calls have not all started yet."""
    beginning: int = 0
    """Chunks whose `begin` is under way."""
    room: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when something has ended, so that more may be begun."""
    _route: str | None = None
    """The provider of the last calls, and most likely of the next; None before the first chunk."""

    async def acquire(self, wanted: int) -> Grant:
        """Wait for the permits of the next chunk; returns between 1 and `wanted` of them."""
        if self._route is None and self.services.capacity:
            wanted = 1  # the provider is not known before the first delivery is begun
        granted = await acquire_grant(
            self.services.in_work, self.services.capacity.get(self._route or ""), self.lane, wanted
        )
        self.starting += granted.left
        return granted

    def done(self, grant: Grant | None, count: int) -> None:
        """`count` pointers of a chunk are done."""
        if grant is not None:
            grant.done(count)
            self.room.set()

    def started(self, grant: Grant | None) -> None:
        """All calls of a chunk have started, or will never start."""
        if grant is not None and grant.starting:
            self.starting -= grant.starting
            grant.starting = 0
            self.room.set()

    async def work(
        self, unacked: Unacked, items: list[Item], grant: Grant | None = None, strikes_max: int = STRIKES_FREE
    ) -> None:
        """Begin, call, settle and ack.  What cannot be settled is isolated; struck deliveries are put aside.

        Args:
            grant: the permits of these items; None for work that needs none.
            strikes_max: a delivery with more strikes is put aside.

        Raises:
            Unavailable: nothing was begun; it is trouble of the lane.
            Exception: nothing was begun; it is an error that nobody foresaw, see `isolate`.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        rest = by_delivery(items)
        begun = await self._begin([pointer for pointer, _ in items], strikes_max)
        self.services.telemetry.stage("begin", loop.time() - started)
        self._route = begun.calls[-1].provider if begun.calls else self._route or ""
        if begun.pause_reason is not None:
            self.pauses.ask(begun.pause_reason)
        working = [c.leased.id for c in begun.calls] + [s.delivery for s in begun.settlements]
        held = {delivery: rest.pop(delivery) for delivery in working}
        self._put_aside(unacked, grant, begun.struck, rest)
        over = [message for done in rest.values() for _, message in done]
        unacked.finish(over)
        self.done(grant, len(over))
        starts = CallStarts(len(begun.calls), partial(self._all_started, grant))
        ends = await asyncio.gather(
            *(self._call(unacked, call, held[call.leased.id], grant, starts) for call in begun.calls),
            *(self._settle(unacked, end, held[end.delivery], grant) for end in begun.settlements),
            return_exceptions=True,
        )
        await self._look_after(unacked, items, dict(zip(working, ends, strict=True)))
        self.services.telemetry.wide(
            "deliveries.worked",
            lane=self.lane.queue,
            pointers=len(items),
            called=len(begun.calls),
            decided=len(begun.settlements),
            postponed=begun.postponed,
            replayed=begun.replayed,
            stale=begun.stale,
            struck=len(begun.struck),
            seconds=round(loop.time() - started, 4),
            traces=trace_ids(call.leased.traceparent for call in begun.calls),
        )

    def _all_started(self, grant: Grant | None, waited: float) -> None:
        self.window.observe(waited, self.starting)
        self.started(grant)

    async def _begin(self, pointers: Sequence[Pointer], strikes_max: int) -> Begun:
        self.beginning += 1
        try:
            return await self.services.begin(self.lane, pointers, strikes_max)
        finally:
            self.beginning -= 1
            self.room.set()

    def _put_aside(
        self,
        unacked: Unacked,
        grant: Grant | None,
        struck: Sequence[StruckDelivery],
        rest: dict[UUID, list[Item]],
    ) -> None:
        for one in struck:
            items = rest.pop(one.pointer.delivery)
            unacked.put_aside(one.strikes, items)
            self.done(grant, len(items))
        if struck:
            self.on_struck(unacked)

    async def _look_after(
        self, unacked: Unacked, items: list[Item], ends: Mapping[UUID, BaseException | None]
    ) -> None:
        """Isolate what ended in an error: it is neither settled nor acked, and its lease still runs."""
        if broken := {id_: end for id_, end in ends.items() if end is not None}:
            self.services.telemetry.trouble(
                "deliveries.broken",
                lane=self.lane.queue,
                deliveries=len(broken),
                exc_info=next(iter(broken.values())),
            )
            await self.isolate(unacked, [item for item in items if item[0].delivery in broken])

    async def isolate(
        self,
        unacked: Unacked,
        items: list[Item],
        own: Exception | None = None,
        strikes_max: int = STRIKES_FREE,
    ) -> None:
        """After an unforeseen error: work on the items one by one, and give up the one that causes it.

        Args:
            own: what `work` raised.  When it raised that for a single item, the item is the cause and is
                given up at once: it may be leased by now, and a second `work` would only put it back.
        """
        if own is not None and len(items) == 1:
            await self._give_up(unacked, *items[0], own)
            return
        for pointer, message in items:
            try:
                await self.work(unacked, [(pointer, message)], strikes_max=strikes_max)
            except Unavailable as away:
                unacked.pending.append((pointer, message))
                self.pauses.ask(str(away))
            except Exception as own:  # noqa: BLE001  a bug in our own code must not stop the lane
                await self._give_up(unacked, pointer, message, own)

    async def _give_up(
        self, unacked: Unacked, pointer: Pointer, message: UnackedMessage, own: Exception
    ) -> None:
        try:
            await give_up(self.services, self.lane, pointer, own)
        except Unavailable as away:
            unacked.pending.append((pointer, message))
            self.pauses.ask(str(away))
        else:
            unacked.finish([message])

    async def _call(
        self,
        unacked: Unacked,
        call: CommittedCall,
        items: list[Item],
        grant: Grant | None,
        starts: CallStarts,
    ) -> None:
        starts.note(self.services.call.clock.monotonic() - call.begun)
        capacity = self.services.capacity.get(call.provider)
        try:
            if capacity is None:
                settlement = await self.services.call(call)
            else:
                settlement = await self._call_within(capacity, call)
            if grant is not None and grant.leased is not None:
                grant.called(len(items))
            self._ended(unacked, items, mine=await self.services.settler.settle(settlement))
        finally:
            self.done(grant, len(items))
        self.services.telemetry.delivered(self.lane.channel, call.provider, settlement.outcome or "none")

    async def _call_within(self, capacity: ProviderCapacity, call: CommittedCall) -> Settlement:
        clock = self.services.call.clock
        self.services.call.keep(call)
        async with capacity.calls:
            started = clock.monotonic()
            settlement = await self.services.call(call)
            capacity.took(clock.monotonic() - started)
            return settlement

    async def _settle(
        self, unacked: Unacked, settlement: Settlement, items: list[Item], grant: Grant | None
    ) -> None:
        if grant is not None:
            grant.called(len(items))
        try:
            self._ended(unacked, items, mine=await self.services.settler.settle(settlement))
        finally:
            self.done(grant, len(items))
        self.services.telemetry.delivered(self.lane.channel, "none", settlement.status)

    def _ended(self, unacked: Unacked, items: list[Item], *, mine: bool) -> None:
        """Ack the items if the lease was still ours when they were settled; else work on them once more.

        Another worker took the lease over.  It may be dead by now, and it may never have had a message of its
        own (its lease may have come from a statement whose answer was lost).  So our message is not acked
        until it is found stale, or that lease has ended.
        """
        if mine:
            unacked.finish(message for _, message in items)
        else:
            unacked.pending.extend(items)
            self.pauses.ask("a lease was overtaken")
