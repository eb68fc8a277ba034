"""The coming months' partitions: made by whoever may, watched by everybody."""

from dataclasses import dataclass
from datetime import timedelta

from adapters.postgres.core.database import Database
from adapters.postgres.core.partitions import Reach, ensure_partitions, may_make, reach
from adapters.telemetry.telemetry import PrometheusTelemetry

LOW = 2
"""Months ahead: fewer are worth an alert."""
FLOOR = timedelta(days=1)
"""A process is ready while ids of so far ahead have a place."""
MEND = "run `posthorn migrate` as the owner of the tables"


@dataclass(slots=True, kw_only=True)
class Partitions:
    """One per process."""

    database: Database
    telemetry: PrometheusTelemetry
    _reach: Reach | None = None
    _told_right: bool = False
    _told_low: int | None = None

    async def make(self) -> None:
        """Make what is missing; without the right to it, say so once.

        Raises:
            StoreUnavailable: next time.
        """
        seen = await reach(self.database)
        if await may_make(self.database):
            if made := await ensure_partitions(self.database, seen.now.date()):
                self.telemetry.wide("partitions.made", partitions=made)
        elif not self._told_right:
            self._told_right = True
            self.telemetry.trouble("partitions.not_ours", ahead=seen.ahead, mend=MEND)

    async def look(self) -> None:
        """See how far they reach; say it once when that is not far, and again when it is less.

        Raises:
            StoreUnavailable: next time.
        """
        self._reach = seen = await reach(self.database)
        self.telemetry.partitions_ahead(seen.ahead)
        if seen.ahead >= LOW:
            self._told_low = None
        elif self._told_low is None or seen.ahead < self._told_low:
            self._told_low = seen.ahead
            self.telemetry.trouble(
                "partitions.low", ahead=seen.ahead, until=seen.until.isoformat(), mend=MEND
            )

    def fault(self) -> str | None:
        """Why nothing can be accepted soon; None: it can, as far as anybody knows."""
        seen = self._reach
        if seen is None or seen.until - seen.now > FLOOR:
            return None
        return f"no place for ids from {seen.until:%Y-%m-%d} on: {MEND}"
