"""Partitions of the coming months: processes that own the tables make them, all processes watch them."""

from dataclasses import dataclass
from datetime import timedelta

from adapters.postgres.core.database import Database
from adapters.postgres.core.partitions import Reach, ensure_partitions, may_make, reach
from adapters.telemetry.telemetry import PrometheusTelemetry

LOW = 2
"""Months: when partitions reach less far ahead there is an alert."""
FLOOR = timedelta(days=1)
"""A process is ready while there are partitions for ids of so far ahead."""
MEND = "run `posthorn migrate` as the owner of the tables"


@dataclass(slots=True, kw_only=True)
class Partitions:
    """Makes and watches the partitions for one process."""

    database: Database
    telemetry: PrometheusTelemetry
    _reach: Reach | None = None
    _reported_right: bool = False
    _reported_low: int | None = None

    async def make(self) -> None:
        """Make the missing partitions; log once when this process has no right to.

        Raises:
            StoreUnavailable: nothing was made; call it again later.
        """
        seen = await reach(self.database)
        if await may_make(self.database):
            if made := await ensure_partitions(self.database, seen.now.date()):
                self.telemetry.wide("partitions.made", partitions=made)
        elif not self._reported_right:
            self._reported_right = True
            self.telemetry.trouble("partitions.not_ours", ahead=seen.ahead, mend=MEND)

    async def look(self) -> None:
        """Read how far partitions reach; alert once when that is less than `LOW`, and again when it shrinks.

        Raises:
            StoreUnavailable: what is known stays; call it again later.
        """
        self._reach = seen = await reach(self.database)
        self.telemetry.partitions_ahead(seen.ahead)
        if seen.ahead >= LOW:
            self._reported_low = None
        elif self._reported_low is None or seen.ahead < self._reported_low:
            self._reported_low = seen.ahead
            self.telemetry.trouble(
                "partitions.low", ahead=seen.ahead, until=seen.until.isoformat(), mend=MEND
            )

    def fault(self) -> str | None:
        """Why nothing can be accepted soon; None: partitions reach far enough, or were not looked at yet."""
        seen = self._reach
        if seen is None or seen.until - seen.now > FLOOR:
            return None
        return f"no place for ids from {seen.until:%Y-%m-%d} on: {MEND}"
