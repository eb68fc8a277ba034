"""A broker that can lose its data, and the mark that must be on it, in memory."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from application.recovery.ports import Markers
from domain.kernel.errors import Conflict
from tests.support.memory.rows import MemoryRows

NOBODY = UUID(int=0)
FORGOTTEN = "another process has issued everything meanwhile"


@dataclass(frozen=True, slots=True)
class MemoryMarker:
    """Implements `BrokerMarker`; `standing.clear()` is how its data is lost."""

    standing: set[UUID] = field(default_factory=set)

    async def exists(self, marker: UUID) -> bool:
        return marker in self.standing

    async def place(self, marker: UUID) -> None:
        self.standing.add(marker)

    async def remove(self, marker: UUID) -> None:
        self.standing.discard(marker)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryKnownMarker:
    """Implements `KnownMarker`; who is alone stands in `rows.alone`."""

    rows: MemoryRows
    process: UUID = NOBODY

    async def markers(self) -> Markers:
        return Markers(
            current=next((id_ for id_, current in self.rows.markers.items() if current), None),
            others=tuple(reversed([id_ for id_, current in self.rows.markers.items() if not current])),
        )

    async def register(self, marker: UUID) -> None:
        self.rows.markers.setdefault(marker, False)

    async def set_current(self, marker: UUID, gone: Sequence[UUID]) -> None:
        if marker not in self.rows.markers:
            raise Conflict(FORGOTTEN)
        self.rows.markers = {
            id_: id_ == marker for id_ in self.rows.markers if id_ == marker or id_ not in gone
        }

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        mine = self.rows.alone is None
        if mine:
            self.rows.alone = self.process
        try:
            yield mine
        finally:
            if mine and self.rows.alone == self.process:
                self.rows.alone = None
