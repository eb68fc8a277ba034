"""Calls that nobody answered, noted in `unknown_attempts` by the transactions that find them."""

from collections.abc import Sequence
from uuid import UUID

import msgspec

from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement


class Unanswered(msgspec.Struct, frozen=True, kw_only=True):
    """A call that nobody answered, as a row of `unknown_attempts`."""

    delivery_id: UUID
    attempt: int
    notification_id: UUID
    channel: str
    provider: str | None
    reason: str
    resolution: str | None
    """What is decided about it already; None: nothing."""


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What is decided about the earlier calls of a delivery that have no answer."""

    delivery_id: UUID
    resolution: str


_NOTE = RowsStatement(
    """
INSERT INTO unknown_attempts (
    delivery_id, attempt, notification_id, mode, channel, provider, reason, resolution, resolved_at
)
SELECT
    r.delivery_id, r.attempt, r.notification_id, n.mode, r.channel, r.provider, r.reason, r.resolution,
    CASE WHEN r.resolution IS NOT NULL THEN now() END
FROM :rows AS r JOIN notifications AS n ON n.id = r.notification_id
""",
    Unanswered,
)

_DECIDE = RowsStatement(
    """
UPDATE unknown_attempts AS u SET resolution = r.resolution, resolved_at = now()
FROM :rows AS r WHERE u.delivery_id = r.delivery_id AND u.resolved_at IS NULL
""",
    Decided,
)


async def note(connection: Connection, calls: Sequence[Unanswered]) -> None:
    """Add a row for each call; within a transaction."""
    if calls:
        await connection.execute(*_NOTE(calls))


async def decide(connection: Connection, decided: Sequence[Decided]) -> None:
    """Close what is still open of each delivery; within a transaction, in the order of their ids."""
    if decided:
        await connection.execute(*_DECIDE(decided))
