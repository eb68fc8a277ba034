"""A broker that can lose its data, and the mark that must be on it, in memory."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from adapters.memory.rows import MemoryRows


@dataclass(frozen=True, slots=True)
class MemoryMarker:
    """Implements `BrokerMarker`; `standing.clear()` is how its data is lost."""

    standing: set[UUID] = field(default_factory=set)

    async def stands(self, marker: UUID) -> bool:
        return marker in self.standing

    async def plant(self, marker: UUID) -> None:
        self.standing.add(marker)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryKnownMarker:
    """Implements `KnownMarker`."""

    rows: MemoryRows

    async def marker(self) -> UUID | None:
        return self.rows.marker

    async def replace(self, marker: UUID) -> None:
        self.rows.marker = marker

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[bool]:
        mine = not self.rows.marker_locked
        self.rows.marker_locked = True
        try:
            yield mine
        finally:
            if mine:
                self.rows.marker_locked = False
