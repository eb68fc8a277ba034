"""The status of a notification, computed from the counts of its deliveries.

pending ─► scheduled ─► queued ─► processing ─► completed | failed | cancelled
                             ▲                        │
                             └── a replay reopens ────┘
"""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from domain.delivery.delivery import OPEN, DeliveryStatus
from domain.kernel.errors import Conflict


class NotificationStatus(StrEnum):
    """The status of a notification."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


_N = NotificationStatus
_WORKING = frozenset({_N.PROCESSING, _N.COMPLETED, _N.FAILED, _N.CANCELLED})

NEXT: dict[NotificationStatus, frozenset[NotificationStatus]] = {
    _N.PENDING: frozenset({_N.SCHEDULED, _N.QUEUED, _N.CANCELLED, _N.FAILED}),
    _N.SCHEDULED: frozenset({_N.QUEUED, _N.CANCELLED, _N.FAILED}),
    _N.QUEUED: _WORKING,
    _N.PROCESSING: frozenset({_N.COMPLETED, _N.FAILED, _N.CANCELLED}),
    _N.COMPLETED: frozenset({_N.PROCESSING, _N.QUEUED, _N.FAILED}),
    _N.FAILED: frozenset({_N.PROCESSING, _N.QUEUED, _N.COMPLETED}),
    _N.CANCELLED: frozenset(),
}
"""Legal moves.  Completed and failed are left by a replay or a late receipt."""


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries of one notification by bucket; `open` are those we still have to work on."""

    open: int = 0
    sent: int = 0
    delivered: int = 0
    bounced: int = 0
    failed: int = 0
    unknown: int = 0
    suppressed: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        """All deliveries."""
        return sum(getattr(self, name) for name in self.__struct_fields__)


def bucket(status: DeliveryStatus) -> str:
    """The counter a delivery in this state is counted in."""
    return "open" if status in OPEN else status.value


def count(statuses: Iterable[DeliveryStatus]) -> Counts:
    """Count deliveries into buckets."""
    tally = dict.fromkeys(Counts.__struct_fields__, 0)
    for status in statuses:
        tally[bucket(status)] += 1
    return Counts(**tally)


def rollup(counts: Counts, *, expanded: bool, cancelled: bool) -> NotificationStatus:
    """The status that follows from the counts; SQL computes the same and a test holds both together.

    Args:
        expanded: no more deliveries will be added.
        cancelled: somebody cancelled it.
    """
    if counts.open or counts.unknown or not expanded:
        return _N.QUEUED if counts.open == counts.total else _N.PROCESSING
    if counts.sent or counts.delivered:
        return _N.COMPLETED
    if cancelled:
        return _N.CANCELLED
    return _N.FAILED


def advance(current: NotificationStatus, to: NotificationStatus) -> NotificationStatus:
    """Return `to` if the table allows the move.

    Raises:
        Conflict: it does not.
    """
    if to not in NEXT[current]:
        raise Conflict(f"a notification cannot go from {current} to {to}")
    return to
