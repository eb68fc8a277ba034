"""Ports for time, chance and new ids."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Aware UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never go back."""
        ...


class SharedClock(Clock, Protocol):
    """A clock that all processes have in common: the database's."""

    def heard(self, at: datetime, asked: float) -> None:
        """The database says it is `at` (aware); it was asked at `asked` (`monotonic`), and answers now."""
        ...


class Dice(Protocol):
    """The only source of chance."""

    def chance(self) -> float:
        """Uniform in [0, 1)."""
        ...


class Ids(Protocol):
    """Fresh identifiers."""

    def next(self) -> UUID:
        """A UUIDv7 of this instant; of one process they ascend, while its clock is not set back by far."""
        ...
