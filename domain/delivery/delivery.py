"""The states of a delivery and the one table of legal moves.

pending ─► queued ─► sending ─► sent ─► delivered ─► bounced
             ▲  │        ├────► unknown (held_at: held until somebody resolves it)
             │  │        ├────► failed ─► queued (replay: a new epoch)
             └──┼────────┤
                └────────┴────► suppressed | cancelled
standby ─► queued (the channel before it failed) | suppressed | cancelled
"""

from enum import StrEnum

from domain.kernel.errors import Conflict


class DeliveryStatus(StrEnum):
    """The state of a delivery."""

    PENDING = "pending"
    STANDBY = "standby"
    """Behind another channel of the same recipient: it has no pointer and no turn yet."""
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SUPPRESSED = "suppressed"
    CANCELLED = "cancelled"


_S = DeliveryStatus

NEXT: dict[DeliveryStatus, frozenset[DeliveryStatus]] = {
    _S.PENDING: frozenset({_S.QUEUED, _S.CANCELLED}),
    _S.STANDBY: frozenset({_S.QUEUED, _S.SUPPRESSED, _S.CANCELLED}),
    _S.QUEUED: frozenset({_S.SENDING, _S.SUPPRESSED, _S.CANCELLED, _S.FAILED}),
    _S.SENDING: frozenset({_S.SENT, _S.QUEUED, _S.UNKNOWN, _S.FAILED, _S.SUPPRESSED, _S.CANCELLED}),
    _S.UNKNOWN: frozenset({_S.QUEUED, _S.SENT, _S.DELIVERED, _S.BOUNCED, _S.FAILED}),
    _S.SENT: frozenset({_S.DELIVERED, _S.BOUNCED, _S.FAILED}),
    _S.DELIVERED: frozenset({_S.BOUNCED}),
    _S.FAILED: frozenset({_S.QUEUED, _S.SENT, _S.DELIVERED}),
    _S.BOUNCED: frozenset(),
    _S.SUPPRESSED: frozenset(),
    _S.CANCELLED: frozenset(),
}
"""Legal moves.  `failed → queued` is a replay; `failed → sent|delivered` a late receipt."""

OPEN = frozenset({_S.PENDING, _S.STANDBY, _S.QUEUED, _S.SENDING})
"""States in which we still have work to do; a notification counts them as `open`."""

SUCCEEDED = frozenset({_S.SENT, _S.DELIVERED})
"""States of a delivery that a provider has accepted and that has not bounced."""

CLOSED = frozenset(_S) - OPEN - {_S.UNKNOWN}
"""States that change only by a receipt or by an operator."""


def advance(current: DeliveryStatus, to: DeliveryStatus) -> DeliveryStatus:
    """Return `to` if the table allows the move.

    Raises:
        Conflict: it does not.
    """
    if to not in NEXT[current]:
        raise Conflict(f"a delivery cannot go from {current} to {to}")
    return to
