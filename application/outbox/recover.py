"""Issue every pointer again when the broker has lost its data: its mark is gone.

The order matters.  A new mark is planted before the first pointer is issued, and relied on after the last:
who dies in between leaves the old mark in the database, which nobody finds, and all is done again; a broker
that loses its data in between loses the new mark with it.
"""

from dataclasses import dataclass

import msgspec

from application.ports.incarnation import BrokerMarker, KnownMarker, Recovery, Topology
from application.ports.system import Ids


class Intact(msgspec.Struct, frozen=True):
    """The mark is there: nothing is issued."""


class Marked(msgspec.Struct, frozen=True):
    """There never was a mark, and nothing to be issued; now there is one."""


class Reissued(msgspec.Struct, frozen=True, kw_only=True):
    """The mark was gone, or the first one came late: a broker may have lost what it had before."""

    pointers: int
    dead_letters: int


class Lacking(msgspec.Struct, frozen=True):
    """The mark is gone, and so are queues that cannot be made from here: try again."""

    what: str


class Elsewhere(msgspec.Struct, frozen=True):
    """The mark is gone, and another process is at it: look again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverBroker:
    """Any number of processes may ask at any time; one of them issues."""

    known: KnownMarker
    broker: BrokerMarker
    topology: Topology
    recovery: Recovery
    ids: Ids

    async def __call__(self) -> Intact | Marked | Reissued | Lacking | Elsewhere:
        """Look for the mark, and do what follows.

        Raises:
            Unavailable: try again.
        """
        if await self._intact():
            return Intact()
        async with self.known.alone() as alone:
            if not alone:
                return Elsewhere()
            if await self._intact():  # another process has just done it
                return Intact()
            if (lacking := await self.topology.lay_out()) is not None:
                return Lacking(lacking)
            return await self._issue()

    async def _intact(self) -> bool:
        marker = await self.known.marker()
        return marker is not None and await self.broker.stands(marker)

    async def _issue(self) -> Marked | Reissued:
        first = await self.known.marker() is None
        marker = self.ids.next()
        await self.broker.plant(marker)
        pointers = await self.recovery.reissue()
        dead_letters = await self.recovery.reissue_dead()
        await self.known.replace(marker)
        if first and not pointers and not dead_letters:
            return Marked()
        return Reissued(pointers=pointers, dead_letters=dead_letters)
