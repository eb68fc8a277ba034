"""How a lease ends: the state of the delivery, and the lines that its history gets.

The history says what became of each call.  While a lease lasts its last line is `sending` once a call was
begun; `unknown` when an earlier call was lost with its worker and none was begun since; else `queued`.
"""

from functools import cache

import msgspec

from domain.delivery.delivery import NEXT, DeliveryStatus

_S = DeliveryStatus

NO_ANSWER = "unknown"
"""Tag of the outcome of a call that nobody answered."""


class Ending(msgspec.Struct, frozen=True):
    """What is written when a lease ends."""

    status: DeliveryStatus
    """The delivery's new state."""
    lines: tuple[DeliveryStatus, ...]
    """New lines of the history, in order."""
    resolution: str | None
    """What this decides about a call without an answer; None: nothing, or there is none."""


@cache  # a few dozen answers, asked for every delivery
def ending(status: DeliveryStatus, outcome: str | None, *, interrupted: bool, cancelled: bool) -> Ending:
    """Return how a lease ends.

    Args:
        status: the state that the worker asks for.
        outcome: tag of the call's outcome; None: no call was begun.
        interrupted: an earlier call was lost with its worker; counts only when no call was begun since.
        cancelled: the notification is cancelled: what would be queued again is cancelled, too.
    """
    if status is _S.QUEUED and cancelled:
        status = _S.CANCELLED
    unanswered = outcome == NO_ANSWER
    if unanswered or (outcome is None and interrupted):
        last = _S.UNKNOWN
    else:
        last = _S.QUEUED if outcome is None else _S.SENDING
    lines = (*((_S.UNKNOWN,) if unanswered else ()), *_way(last, status))
    return Ending(status, lines, _resolution(status) if last is _S.UNKNOWN else None)


def _way(last: DeliveryStatus, to: DeliveryStatus) -> tuple[DeliveryStatus, ...]:
    """The lines from the last one to a state: through `queued`, or from it through `sending`, where the table
    has no direct move."""
    if to is last:
        return ()
    if to in NEXT[last]:
        return (to,)
    return (_S.SENDING if last is _S.QUEUED else _S.QUEUED, to)


def _resolution(status: DeliveryStatus) -> str | None:
    if status is _S.UNKNOWN:
        return None
    return "resend" if status is _S.QUEUED else status.value
