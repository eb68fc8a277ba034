"""The dead letters of deliveries that have just failed, written by the transactions that move them."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from domain.delivery.cause import cause

FINGERPRINT = """
left(encode(sha256(convert_to(
    concat_ws('|', m.channel, coalesce(m.provider, ''), m.cause), 'UTF8'
)), 'hex'), 16)
"""
"""`domain.delivery.cause.fingerprint` over a row `m` with `channel`, `provider` and `cause`."""


def dead_lettered(moved: str) -> str:
    """A statement that writes the dead letters, to stand in a WITH clause.

    Args:
        moved: name of the query before it: `id`, `seq`, `notification_id`, `channel`, `priority`, `provider`,
            `status`, `reason`, `attempts_counted` (each after the move) and `cause`.
    """
    return f"""
    INSERT INTO dead_letter_queue (
        delivery_id, seq, notification_id, mode, type, channel, priority, provider, reason, fingerprint,
        attempts
    )
    SELECT
        m.id, m.seq, m.notification_id, n.mode, n.type, m.channel, m.priority, m.provider,
        coalesce(m.reason, 'failed'), {FINGERPRINT}, m.attempts_counted
    FROM {moved} AS m JOIN notifications AS n ON n.id = m.notification_id
    WHERE m.status = 'failed'
    """  # noqa: S608  composed of constants


class _NewDeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that has just failed, as `dead_lettered` takes it."""

    id: UUID
    seq: int
    notification_id: UUID
    channel: str
    priority: int
    provider: str | None
    status: str
    reason: str | None
    attempts_counted: int
    cause: str


_WRITE = RowsStatement(
    f"WITH failed AS (SELECT * FROM :rows AS r) {dead_lettered('failed')}",  # noqa: S608  composed of constants
    _NewDeadLetter,
)


async def insert_dead_letters(connection: Connection, failed: Sequence[asyncpg.Record]) -> None:
    """Write the dead letters of deliveries that have just failed; within the transaction that moved them.

    Args:
        failed: rows with the columns that `dead_lettered` names, but for `cause`.
    """
    if failed:
        names = [name for name in _NewDeadLetter.__struct_fields__ if name != "cause"]
        dead = [
            _NewDeadLetter(cause=cause(row["reason"] or "failed"), **{name: row[name] for name in names})
            for row in failed
        ]
        await connection.execute(*_WRITE(dead))
