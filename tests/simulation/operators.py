"""What operators do meanwhile: send dead letters again, put them aside, move them, resolve, compact."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from application.attempt.ports import Resolution
from application.broker.ports import Outgoing
from application.dead_letter.ports import Selection
from application.job.ports import JobKind
from application.outbox.pointers import decode
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, Mode
from tests.simulation.fleet import Fleet
from tests.simulation.random_faults import Part
from tests.simulation.world import LANES, World
from tests.support.virtual_time import passing

EVERY = 6.0
WHO = "operator"


@dataclass(slots=True)
class Operators:
    """Act at random, and again when they are not heard: whatever happens twice must be harmless."""

    world: World
    fleet: Fleet

    async def run(self, until: float) -> None:
        """Some actions, one after the other, until that time."""
        chance = self.world.chance
        actions: list[Callable[[], Awaitable[object]]] = [
            self._replay,
            self._replay,
            self._discard,
            self._move,
            self._move,
            self._resolve,
            self._resolve,
            self._compact,
        ]
        while self.world.loop.time() < until:
            await passing(chance.uniform(0, EVERY))
            action = chance.choice(actions)
            try:
                await action()
            except Exception as fault:  # noqa: BLE001  whatever it is: the next action
                self.world.note("the operator is told: {!r}", fault)

    async def _replay(self) -> None:
        await self._job(JobKind.REPLAY, Selection(mode=Mode.LIVE))

    async def _discard(self) -> None:
        dead_letters = [each for each in self.world.rows.dead_letters.values() if each.closed_at is None]
        if dead_letters:
            chosen = self.world.chance.choice(dead_letters).delivery_id
            await self._job(JobKind.DISCARD, Selection(mode=Mode.LIVE, deliveries=(chosen,)))

    async def _job(self, kind: JobKind, selection: Selection) -> None:
        member = await self.fleet.api()
        start = member.assembly.container.job.start()
        await member.process.request(lambda: start(kind, selection, actor=WHO, note="enough"))

    async def _resolve(self) -> None:
        held = [
            row
            for row in self.world.rows.unknown.values()
            if row.resolved_at is None
            and self.world.rows.deliveries[row.delivery_id].status is DeliveryStatus.UNKNOWN
        ]
        if not held:
            return
        row, how = self.world.chance.choice(held), self.world.chance.choice(list(Resolution))
        member = await self.fleet.api()
        resolve = member.assembly.container.attempt.resolve()
        self.world.note("{} attempt {} is resolved as {}", row.delivery_id, row.attempt, how)
        await member.process.request(lambda: resolve(row.delivery_id, row.attempt, Mode.LIVE, how, actor=WHO))

    async def _move(self) -> None:
        """As "Move messages" of the management UI does; it may die before its ack."""
        chance = self.world.chance
        lane = self._lane_with_letters()
        if lane is None or Part.BROKER in self.world.random_faults.away:
            return
        broker = self.world.broker
        moving = await broker.subscribe(lane.dead, 10)
        messages = await moving.take(chance.randint(1, 10))
        self.world.note("{} messages are moved from {}", len(messages), lane.dead)
        self.world.moved |= {pointer for message in messages for pointer in decode(message.body)}
        ids = self.world.ids
        await broker.publish([Outgoing(id=ids.next(), queue=lane.queue, body=m.body) for m in messages])
        if not self.world.random_faults.failing or chance.random() < 0.8:
            await moving.ack([message.tag for message in messages])
        await moving.close()

    async def _compact(self) -> None:
        lane = self._lane_with_letters()
        if lane is None:
            return
        member = await self.fleet.api()
        compact = member.assembly.container.dead_letter.compact_queue()

        async def through() -> None:
            async for tally in compact(lane.dead, remove=True):
                self.world.note("compacting: {}", tally)

        await member.process.request(through)

    def _lane_with_letters(self) -> Lane | None:
        there = [lane for lane in LANES if self.world.broker._queues[lane.dead].waiting]
        return self.world.chance.choice(there) if there else None
