"""What becomes of the channels that stand by when the one before them has ended, in memory."""

from application.outbox.dispatch import Dispatch, requeued
from application.outbox.pointers import Pointer
from domain.delivery.delivery import DeliveryStatus, advance
from tests.support.memory.counters import count
from tests.support.memory.rows import DeliveryRow, MemoryRows

_S = DeliveryStatus
_ENDED = (_S.SENT, _S.FAILED, _S.SUPPRESSED, _S.CANCELLED)


def follow(rows: MemoryRows, ended: DeliveryRow) -> list[Dispatch]:
    """Move what stands behind a delivery; the pointer of the one whose turn it is now."""
    if ended.rank is None or ended.status not in _ENDED:
        return []
    rank, now = ended.rank, rows.clock.now()
    cancelled = rows.notifications[ended.notification_id].cancelled_at is not None
    behind = [
        row
        for row in rows.deliveries_of(ended.notification_id)
        if row.user_id == ended.user_id and row.status is _S.STANDBY and (row.rank or 0) > rank
    ]
    becomes = _S.SUPPRESSED
    if cancelled or ended.status is _S.CANCELLED:
        becomes = _S.CANCELLED
    elif ended.status is _S.FAILED:
        becomes, behind = _S.QUEUED, sorted(behind, key=lambda row: row.rank or 0)[:1]
    why = f"sent on {ended.channel}"
    if ended.status is not _S.SENT:
        why = ": ".join(filter(None, (f"{ended.channel} {ended.status}", ended.reason)))
    for row in behind:
        row.status, row.reason, row.updated_at = advance(row.status, becomes), why, now
        rows.record(row, becomes, why)
        count(rows, row.notification_id, _S.STANDBY, becomes)
    if becomes is not _S.QUEUED:
        return []
    return [requeued(Pointer(row.id, row.seq), rows.lane(row), due=None, outcome=None) for row in behind]
