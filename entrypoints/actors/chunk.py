"""One chunk of a lane: some pointers begun together, called at once, settled and acked as they end."""

import asyncio
from dataclasses import dataclass, field

from application.delivery.begin import Call
from application.messages.pointers import Pointer
from application.ports.deliveries import Settlement
from domain.kernel.channel import Lane
from domain.kernel.errors import Unavailable
from entrypoints.actors.actor import trace_ids
from entrypoints.actors.engine import Engine
from entrypoints.actors.poison import bury
from entrypoints.actors.rest import Rest
from entrypoints.actors.tickets import Desk, Item, Ticket, by_delivery
from entrypoints.actors.window import Window


@dataclass(slots=True, kw_only=True)
class Chunks:
    """Works the chunks of one lane; several overlap."""

    lane: Lane
    engine: Engine
    window: Window
    rest: Rest
    in_flight: int = 0
    """Deliveries; counted by the lane."""
    beginning: int = 0
    """Chunks that are being begun."""
    room: asyncio.Event = field(default_factory=asyncio.Event)
    """Something has ended: there may be room for more."""

    async def work(self, desk: Desk, items: list[Item]) -> None:
        """Begin, call, settle and ack; what cannot be settled is isolated.

        Raises:
            Unavailable: nothing was begun; trouble of the lane.
            Exception: nothing was begun; something unforeseen, see `isolate`.
        """
        loop = asyncio.get_running_loop()
        started = loop.time()
        rest = by_delivery(items)
        self.beginning += 1
        try:
            begun = await self.engine.begin(self.lane, [pointer for pointer, _ in items])
        finally:
            self.beginning -= 1
            self.room.set()
        self.engine.telemetry.stage("begin", loop.time() - started)
        if begun.paused:
            self.rest.because("channel paused")
        working = [c.leased.id for c in begun.calls] + [s.delivery for s in begun.settlements]
        held = {delivery: rest.pop(delivery) for delivery in working}
        desk.finish(ticket for done in rest.values() for _, ticket in done)
        ends = await asyncio.gather(
            *(self._call(desk, call, held[call.leased.id]) for call in begun.calls),
            *(self._settle(desk, settlement, held[settlement.delivery]) for settlement in begun.settlements),
            return_exceptions=True,
        )
        self.window.note(max((end for end in ends if isinstance(end, float)), default=0.0), self.in_flight)
        if broken := {id_ for id_, end in zip(working, ends, strict=True) if isinstance(end, BaseException)}:
            # Neither settled nor acked: each goes round once more, when its lease has ended.
            self.engine.telemetry.trouble(
                "deliveries.broken",
                lane=self.lane.queue,
                deliveries=len(broken),
                exc_info=next(end for end in ends if isinstance(end, BaseException)),
            )
            await self.isolate(desk, [item for item in items if item[0].delivery in broken])
        self.engine.telemetry.wide(
            "deliveries.worked",
            lane=self.lane.queue,
            pointers=len(items),
            called=len(begun.calls),
            decided=len(begun.settlements),
            postponed=begun.postponed,
            replayed=begun.replayed,
            stale=begun.stale,
            seconds=round(loop.time() - started, 4),
            traces=trace_ids(call.leased.traceparent for call in begun.calls),
        )

    async def isolate(self, desk: Desk, items: list[Item], own: Exception | None = None) -> None:
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
                await self.work(desk, [(pointer, ticket)])
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

    async def _call(self, desk: Desk, call: Call, items: list[Item]) -> float:
        limit = self.engine.concurrency.get(call.provider)
        clock = self.engine.call.clock
        if limit is None:
            waited = clock.monotonic() - call.begun
            settlement = await self.engine.call(call)
        else:
            async with limit:
                waited = clock.monotonic() - call.begun
                settlement = await self.engine.call(call)
        self._ended(desk, items, mine=await self.engine.settler.settle(settlement))
        self.engine.telemetry.delivered(self.lane.channel, call.provider, settlement.outcome or "none")
        return waited

    async def _settle(self, desk: Desk, settlement: Settlement, items: list[Item]) -> float:
        self._ended(desk, items, mine=await self.engine.settler.settle(settlement))
        self.engine.telemetry.delivered(self.lane.channel, "none", settlement.status)
        return 0.0

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
