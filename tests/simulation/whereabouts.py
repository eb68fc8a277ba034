"""Where pointers are: what is taken for late must have been taken away, or be somewhere.

Issuing again what is late heals whatever loses pointers.  Here it shows that something had to be healed.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from adapters.memory.broker import MemoryBroker
from application.outbox.pointers import Pointer, decode
from application.outbox.ports import OutboxMessage, OverdueDelivery
from domain.kernel.errors import Undecodable
from tests.support.memory.overdue import MemoryOverdue

if TYPE_CHECKING:
    from tests.simulation.world import World


class WatchedOverdue:
    """Implements `Overdue`; tells the world of pointers that were nowhere when they were issued again."""

    def __init__(self, overdue: MemoryOverdue, world: "World") -> None:
        self.find, self.longest = overdue.find, overdue.longest
        self._overdue = overdue
        self._world = world

    async def issue(self, late: Sequence[OverdueDelivery]) -> list[OutboxMessage]:
        """As the real one."""
        world = self._world
        there = world.taken | world.purged | set(at_broker(world.broker))
        there |= {pointer for row in world.rows.outbox.values() for pointer in _read(row.message.body)}
        made = await self._overdue.issue(late)
        for pointer in (pointer for message in made for pointer in _read(message.body)):
            if pointer not in there:
                world.wrong(f"delivery {pointer.delivery}: pointer {pointer.seq} was lost")
        return made


def at_broker(broker: MemoryBroker) -> Iterator[Pointer]:
    """All that it has, in somebody's hands or not."""
    for queue in broker._queues.values():
        for message in queue._ready:
            yield from _read(message.event.body)
        for consumer in queue._consumers:
            for message in consumer._unacked.values():
                yield from _read(message.event.body)
    for _, _, message in broker._delayed:
        yield from _read(message.event.body)


def _read(body: bytes) -> list[Pointer]:
    try:
        return decode(body)
    except Undecodable:
        return []
