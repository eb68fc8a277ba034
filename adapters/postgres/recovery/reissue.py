"""Issuing every pointer again, from the rows: after the broker lost its data, and when embedded mode starts.

Harmless at any time: a pointer that is still on its way becomes stale, or says the same twice.  Of dead
dead letters that are still in their queues there are two then: the second to be moved is stale.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from adapters.postgres.dead_letter.dead_letters import where
from adapters.postgres.outbox import rows as outbox
from application.kernel.ports import Ids
from application.outbox.dispatch import Dispatch, dead_letter, delayed, messages
from domain.kernel.channel import Lane, Mode, Priority
from domain.kernel.errors import Conflict
from domain.kernel.ids import uuid7

RECENT = timedelta(days=1)
"""Deliveries accepted within it go first, by priority; then older ones: retries of the patient, replays."""
OLDER = len(Priority)
"""The stage after those of the priorities."""
DEAD = OLDER + 1

_PAGE = """
WITH page AS MATERIALIZED (
    SELECT id, status, channel, priority, notification_id FROM notification_deliveries
    WHERE id > $1 AND id <= $2 ORDER BY id LIMIT $3
)
SELECT
    (SELECT id FROM page ORDER BY id DESC LIMIT 1) AS last,
    ARRAY(
        SELECT id FROM page
        WHERE status IN ('queued', 'sending')
            AND ($4::text IS NULL OR channel = $4) AND ($5::smallint IS NULL OR priority = $5)
            AND ($6::text IS NULL OR $6 = (
                SELECT n.mode FROM notifications AS n WHERE n.id = page.notification_id
            ))
        ORDER BY id
    ) AS unfinished,
    now() AS now
"""

# A row that somebody holds keeps its number and is looked at when the lease ends.
_REISSUE = """
UPDATE notification_deliveries AS d SET seq = d.seq + (d.status = 'queued')::int, updated_at = now()
FROM unnest($1::uuid[]) AS p (id)
WHERE d.id = p.id AND d.status IN ('queued', 'sending')
RETURNING d.id, d.seq, d.channel, d.priority,
    (SELECT n.mode FROM notifications AS n WHERE n.id = d.notification_id) AS mode,
    CASE d.status WHEN 'queued' THEN d.not_before ELSE d.lease_until END AS due
"""

_DEAD = """
SELECT delivery_id AS id, seq, channel, priority, mode FROM dead_letter_queue
WHERE closed_at IS NULL AND (delivery_id, seq) > ($1, $2)
    AND ($4::text IS NULL OR channel = $4) AND ($5::smallint IS NULL OR priority = $5)
    AND ($6::text IS NULL OR mode = $6)
ORDER BY delivery_id, seq LIMIT $3
"""

_KNOWN = "SELECT position, now() AS now FROM broker_marker WHERE id = $1"
# Fenced: who was taken for dead, and wakes up, finds that somebody has gone on.
_GO_ON = """
UPDATE broker_marker SET position = $2::jsonb WHERE id = $1 AND position IS NOT DISTINCT FROM $3::jsonb
RETURNING id
"""

_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
FORGOTTEN = "another process goes on with it, or has done it"


class Position(msgspec.Struct, frozen=True):
    """How far issuing again has come."""

    recent: UUID
    """An id: deliveries with a greater one, the recent ones, go first."""
    stage: int
    """A priority, `OLDER` or `DEAD`."""
    after: UUID
    """Within the stage: the last delivery that was looked at."""
    seq: int = 0

    def at(self, stage: int) -> "Position":
        """Return the position at which a stage begins."""
        return Position(self.recent, stage, self.recent if stage < OLDER else _FIRST)


@dataclass(slots=True)
class _Way:
    """One run: where it is, and what the marker's row says of it."""

    marker: UUID | None
    lane: Lane | None
    here: Position
    saved: str | None

    @property
    def filter(self) -> tuple[str | None, int | None, str | None]:
        """Channel, priority and mode, None for all."""
        if self.lane is not None:
            tested = self.lane.mode is Mode.TEST  # whatever priority it was asked for with
            return self.lane.channel, None if tested else self.lane.priority, self.lane.mode
        return None, self.here.stage if self.here.stage < OLDER else None, None


_Step = Callable[[_Way, Connection], Awaitable[tuple[int, Position]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresRecovery:
    """Implements `Recovery`; walks the deliveries in the order in which they were accepted, the urgent first.

    Args:
        process: owner of the outbox rows.
        batch: rows looked at in one transaction.
        recent: deliveries accepted within it go first.
    """

    database: Database
    process: UUID
    ids: Ids
    batch: int = 5_000
    recent: timedelta = RECENT

    async def reissue(self, marker: UUID | None = None, lane: Lane | None = None) -> int:
        """Issue the pointers of queued and sending deliveries, page by page; return how many.

        Held ones (`unknown`) have no pointer, and what is accepted meanwhile has pointers of its own.
        """
        way = await self._way(marker, lane)
        issued = 0
        while way.here.stage < DEAD:
            if lane is not None and way.here.stage not in (lane.priority, OLDER):
                way.here = way.here.at(way.here.stage + 1)
            else:
                issued += await self._turn(way, self._page)
        return issued

    async def reissue_dead(self, marker: UUID | None = None, lane: Lane | None = None) -> int:
        """Issue the pointers of open dead letters with the numbers that they have; return how many."""
        way = await self._way(marker, lane)
        way.here = way.here if way.here.stage == DEAD else way.here.at(DEAD)
        issued = 0
        while way.here.stage == DEAD:
            issued += await self._turn(way, self._dead)
        return issued

    async def _way(self, marker: UUID | None, lane: Lane | None) -> _Way:
        rows = await self.database.fetch(
            _KNOWN if marker else "SELECT NULL, now() AS now", *[marker] * bool(marker)
        )
        if not rows:
            raise Conflict(FORGOTTEN)
        saved, now = rows[0]
        recent = uuid7(int((now - self.recent).timestamp() * 1000), 0)
        start = Position(recent, 0, recent)
        return _Way(
            marker, lane, start if saved is None else msgspec.json.decode(saved, type=Position), saved
        )

    async def _turn(self, way: _Way, step: _Step) -> int:
        """One page, and how far that is, in one transaction."""

        async def work(connection: Connection) -> tuple[int, Position, str | None]:
            issued, following = await step(way, connection)
            if way.marker is None or (not issued and following.stage == way.here.stage):
                return issued, following, way.saved
            saved = msgspec.json.encode(following).decode()
            if await connection.fetchval(_GO_ON, way.marker, saved, way.saved) is None:
                raise Conflict(FORGOTTEN)
            return issued, following, saved

        issued, way.here, way.saved = await self.database.run(work)
        return issued

    async def _page(self, way: _Way, connection: Connection) -> tuple[int, Position]:
        here = way.here
        last = _LAST if here.stage < OLDER else here.recent
        page = await connection.fetchrow(_PAGE, here.after, last, self.batch, *way.filter)
        if page["last"] is None:
            return 0, here.at(here.stage + 1)
        rows = await connection.fetch(_REISSUE, page["unfinished"]) if page["unfinished"] else []
        dispatches = [_dispatch(row, page["now"]) for row in rows]
        await outbox.write(connection, self.process, messages(dispatches, self.ids))
        return len(rows), msgspec.structs.replace(here, after=page["last"])

    async def _dead(self, way: _Way, connection: Connection) -> tuple[int, Position]:
        here = way.here
        rows = await connection.fetch(_DEAD, here.after, here.seq, self.batch, *way.filter)
        if not rows:
            return 0, here.at(DEAD + 1)
        dispatches = [dead_letter(*where(row)) for row in rows]
        await outbox.write(connection, self.process, messages(dispatches, self.ids))
        return len(rows), Position(here.recent, DEAD, rows[-1]["id"], rows[-1]["seq"])


def _dispatch(row: asyncpg.Record, now: datetime) -> Dispatch:
    wait = timedelta() if row["due"] is None else row["due"] - now
    return delayed(*where(row), wait, now)
