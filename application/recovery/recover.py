"""Issue every pointer again when the broker has lost its data: its marker is gone.

The order matters.  A new marker is recorded in the database, then placed on the broker before the first
pointer is issued, and becomes the current one after the last.  If the process dies in between, the next one
continues under this marker as long as it exists; a broker that loses its data in between loses the marker
too, and all is issued again.  Markers that are not the current one are removed.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.kernel.ports import Ids
from application.recovery.ports import BrokerMarker, KnownMarker, Markers, Recovery, Topology
from domain.kernel.errors import BrokerUnavailable, Conflict


class Intact(msgspec.Struct, frozen=True):
    """The marker exists: nothing is issued."""


class FirstMarker(msgspec.Struct, frozen=True):
    """There never was a marker, and nothing to be issued; now there is one."""


class Reissued(msgspec.Struct, frozen=True, kw_only=True):
    """The marker was gone, or there was none although there is work: the broker may have lost its data."""

    pointers: int
    dead_letters: int


class TopologyMissing(msgspec.Struct, frozen=True):
    """The marker is gone, and so are queues that cannot be made from here: try again."""

    what: str


class RecoveringElsewhere(msgspec.Struct, frozen=True):
    """The marker is gone, and another process is recovering: check again later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoverBroker:
    """Any number of processes may ask at any time; one of them issues."""

    known: KnownMarker
    broker: BrokerMarker
    topology: Topology
    recovery: Recovery
    ids: Ids

    async def __call__(self) -> Intact | FirstMarker | Reissued | TopologyMissing | RecoveringElsewhere:
        """Look for the marker, and do what follows.

        Raises:
            Unavailable: try again.
        """
        markers = await self.known.markers()
        if await self._intact(markers) and not markers.others:
            return Intact()
        async with self.known.alone() as alone:
            if not alone:
                return RecoveringElsewhere()
            markers = await self.known.markers()
            if await self._intact(markers):  # another process has just done it
                await self._set_current(markers.current, markers)
                return Intact()
            if (lacking := await self.topology.lay_out()) is not None:
                return TopologyMissing(lacking)
            return await self._issue(markers)

    async def _intact(self, markers: Markers) -> bool:
        return markers.current is not None and await self.broker.exists(markers.current)

    async def _issue(self, markers: Markers) -> FirstMarker | Reissued | RecoveringElsewhere:
        marker = await self._unfinished(markers) or await self._new()
        try:
            pointers = await self.recovery.reissue(marker)
            dead_letters = await self.recovery.reissue_dead(marker)
            await self._set_current(marker, markers)
        except Conflict:  # our lock was lost: another process continues, or has finished
            now = await self.known.markers()
            if marker not in (now.current, *now.others):
                await self._gone([marker])
            return RecoveringElsewhere()
        if markers.current is None and not pointers and not dead_letters:
            return FirstMarker()
        return Reissued(pointers=pointers, dead_letters=dead_letters)

    async def _unfinished(self, markers: Markers) -> UUID | None:
        """A marker of an unfinished recovery that still exists: what was issued under it is not lost."""
        for marker in markers.others:
            if await self.broker.exists(marker):
                return marker
        return None

    async def _new(self) -> UUID:
        marker = self.ids.next()
        await self.known.register(marker)
        await self.broker.place(marker)
        return marker

    async def _set_current(self, marker: UUID | None, markers: Markers) -> None:
        assert marker is not None
        known = {*markers.others, *([markers.current] if markers.current else [])}
        await self.known.set_current(marker, await self._gone(sorted(known - {marker})))

    async def _gone(self, markers: Iterable[UUID]) -> list[UUID]:
        """Remove markers; return those that are removed, the others are left for the next check."""
        gone = []
        for marker in markers:
            try:
                await self.broker.remove(marker)
            except BrokerUnavailable:
                continue
            gone.append(marker)
        return gone
