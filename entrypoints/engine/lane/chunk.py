"""One chunk of a lane: some pointers begun together, called at once, settled and acked as they end.

Each delivery gives its place back when it is done with it: nobody waits for the slowest of a chunk.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from application.delivery.begin import Begun, Call
from application.delivery.ports import STRIKES_FREE, Settlement, Suspect
from application.outbox.pointers import Pointer
from domain.kernel.channel import Lane
from domain.kernel.errors import Unavailable
from entrypoints.engine.lane.capacity import Capacity, Share, share
from entrypoints.engine.lane.congestion import Window
from entrypoints.engine.lane.pausing import Rest
from entrypoints.engine.lane.poison import bury
from entrypoints.engine.lane.services import Engine
from entrypoints.engine.lane.unacked import Desk, Item, Ticket, by_delivery
from entrypoints.engine.telemetry import trace_ids


@dataclass(slots=True, kw_only=True)
class Chunks:
    """Works the chunks of one lane; several overlap."""

    lane: Lane
    engine: Engine
    window: Window
    rest: Rest
    suspecting: Callable[[Desk], None]
    """There are suspects on the desk: see that they are worked."""
    starting: int = 0
    """Pointers of chunks whose calls have not all started; what is called may take its time."""
    beginning: int = 0
    """Chunks that are being begun."""
    room: asyncio.Event = field(default_factory=asyncio.Event)
    """Something has ended: there may be room for more."""
    _route: str | None = None
    """The provider of the last calls: of the next ones, most likely; None before the first chunk."""

    async def share(self, wanted: int) -> Share:
        """Wait for places; those at the provider first."""
        if self._route is None and self.engine.capacity:
            wanted = 1  # who the provider is shows when the first is begun
        granted = await share(
            self.engine.slots, self.engine.capacity.get(self._route or ""), self.lane, wanted
        )
        self.starting += granted.left
        return granted

    def done(self, places: Share | None, count: int) -> None:
        """So many pointers of a chunk are done."""
        if places is not None:
            places.done(count)
            self.room.set()

    def started(self, places: Share | None) -> None:
        """All calls of a chunk have started, or will not."""
        if places is not None and places.starting:
            self.starting -= places.starting
            places.starting = 0
            self.room.set()

    async def work(
        self, desk: Desk, items: list[Item], places: Share | None = None, strikes_max: int = STRIKES_FREE
    ) -> None:
        """Begin, call, settle and ack; what cannot be settled is isolated, suspects are put aside.

        Args:
            places: of these items; each is given back as soon as may be.
            strikes_max: what more workers have died with is a suspect.

        Raises:
            Unavailable: nothing was begun; trouble of the lane.
            Exception: nothing was begun; something unforeseen, see `isolate`.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        rest = by_delivery(items)
        begun = await self._begin([pointer for pointer, _ in items], strikes_max)
        self.engine.telemetry.stage("begin", loop.time() - started)
        self._route = begun.calls[-1].provider if begun.calls else self._route or ""
        if begun.rest is not None:
            self.rest.because(begun.rest)
        working = [c.leased.id for c in begun.calls] + [s.delivery for s in begun.settlements]
        held = {delivery: rest.pop(delivery) for delivery in working}
        self._put_aside(desk, places, begun.suspects, rest)
        over = [ticket for done in rest.values() for _, ticket in done]
        desk.finish(over)
        self.done(places, len(over))
        starts = Starts(len(begun.calls), partial(self._all_started, places))
        ends = await asyncio.gather(
            *(self._call(desk, call, held[call.leased.id], places, starts) for call in begun.calls),
            *(self._settle(desk, end, held[end.delivery], places) for end in begun.settlements),
            return_exceptions=True,
        )
        await self._look_after(desk, items, dict(zip(working, ends, strict=True)))
        self.engine.telemetry.wide(
            "deliveries.worked",
            lane=self.lane.queue,
            pointers=len(items),
            called=len(begun.calls),
            decided=len(begun.settlements),
            postponed=begun.postponed,
            replayed=begun.replayed,
            stale=begun.stale,
            suspects=len(begun.suspects),
            seconds=round(loop.time() - started, 4),
            traces=trace_ids(call.leased.traceparent for call in begun.calls),
        )

    def _all_started(self, places: Share | None, waited: float) -> None:
        self.window.note(waited, self.starting)
        self.started(places)

    async def _begin(self, pointers: Sequence[Pointer], strikes_max: int) -> Begun:
        self.beginning += 1
        try:
            return await self.engine.begin(self.lane, pointers, strikes_max)
        finally:
            self.beginning -= 1
            self.room.set()

    def _put_aside(
        self, desk: Desk, places: Share | None, suspects: Sequence[Suspect], rest: dict[UUID, list[Item]]
    ) -> None:
        for suspect in suspects:
            items = rest.pop(suspect.pointer.delivery)
            desk.suspect(suspect.strikes, items)
            self.done(places, len(items))
        if suspects:
            self.suspecting(desk)

    async def _look_after(
        self, desk: Desk, items: list[Item], ends: Mapping[UUID, BaseException | None]
    ) -> None:
        """What ended in an error is neither settled nor acked: it goes round once more after its lease."""
        if broken := {id_: end for id_, end in ends.items() if end is not None}:
            self.engine.telemetry.trouble(
                "deliveries.broken",
                lane=self.lane.queue,
                deliveries=len(broken),
                exc_info=next(iter(broken.values())),
            )
            await self.isolate(desk, [item for item in items if item[0].delivery in broken])

    async def isolate(
        self,
        desk: Desk,
        items: list[Item],
        own: Exception | None = None,
        strikes_max: int = STRIKES_FREE,
    ) -> None:
        """Something unforeseen: find whose it is, one by one, and bury that one alone.

        Args:
            own: what `work` raised.  What it raised of one alone is that one's: by now it may be leased, and
                would only be put back.
        """
        if own is not None and len(items) == 1:
            await self._bury(desk, *items[0], own)
            return
        for pointer, ticket in items:
            try:
                await self.work(desk, [(pointer, ticket)], strikes_max=strikes_max)
            except Unavailable as away:
                desk.pending.append((pointer, ticket))
                self.rest.because(str(away))
            except Exception as own:  # noqa: BLE001  a bug in our own code must not stop the lane
                await self._bury(desk, pointer, ticket, own)

    async def _bury(self, desk: Desk, pointer: Pointer, ticket: Ticket, own: Exception) -> None:
        try:
            await bury(self.engine, self.lane, pointer, own)
        except Unavailable as away:
            desk.pending.append((pointer, ticket))
            self.rest.because(str(away))
        else:
            desk.finish([ticket])

    async def _call(
        self, desk: Desk, call: Call, items: list[Item], places: Share | None, starts: "Starts"
    ) -> None:
        starts.note(self.engine.call.clock.monotonic() - call.begun)
        capacity = self.engine.capacity.get(call.provider)
        try:
            if capacity is None:
                settlement = await self.engine.call(call)
            else:
                settlement = await self._call_within(capacity, call)
            if places is not None and places.provider is not None:
                places.called(len(items))
            self._ended(desk, items, mine=await self.engine.settler.settle(settlement))
        finally:
            self.done(places, len(items))
        self.engine.telemetry.delivered(self.lane.channel, call.provider, settlement.outcome or "none")

    async def _call_within(self, capacity: Capacity, call: Call) -> Settlement:
        clock = self.engine.call.clock
        self.engine.call.keep(call)
        async with capacity.calls:
            started = clock.monotonic()
            settlement = await self.engine.call(call)
            capacity.took(clock.monotonic() - started)
            return settlement

    async def _settle(
        self, desk: Desk, settlement: Settlement, items: list[Item], places: Share | None
    ) -> None:
        if places is not None:
            places.called(len(items))
        try:
            self._ended(desk, items, mine=await self.engine.settler.settle(settlement))
        finally:
            self.done(places, len(items))
        self.engine.telemetry.delivered(self.lane.channel, "none", settlement.status)

    def _ended(self, desk: Desk, items: list[Item], *, mine: bool) -> None:
        """Done, when it was ours to settle.

        Who has taken it over may be gone by now, and may never have had a message of its own (a lease whose
        answer was lost, done late): ours goes round once more, and is stale then or waits for that lease.
        """
        if mine:
            desk.finish(ticket for _, ticket in items)
        else:
            desk.pending.extend(items)
            self.rest.because("a lease was overtaken")


class Starts:
    """When the calls of a chunk started; `last` hears how long the slowest of them had to wait."""

    __slots__ = ("_calls", "_last", "_waited")

    def __init__(self, calls: int, last: Callable[[float], None]) -> None:
        self._calls, self._last, self._waited = calls, last, 0.0
        if not calls:
            last(0.0)

    def note(self, waited: float) -> None:
        """One starts, so many seconds after the facts of its gate."""
        self._calls -= 1
        self._waited = max(self._waited, waited)
        if not self._calls:
            self._last(self._waited)
