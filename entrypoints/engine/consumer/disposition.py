"""Maps the outcome of a message to its acknowledgement: ack, try again or park.  Nothing else does."""

import msgspec

from application.event.result import Done, RejectedEvent, Result, TryAgainLater
from domain.kernel.errors import InFlight, Misplaced, Overloaded, Unavailable, Undecodable


class Ack(msgspec.Struct, frozen=True):
    """The message is done with."""

    label: str


class Wait(msgspec.Struct, frozen=True):
    """Keep the message and try again: a part that is needed is away."""

    reason: str


class Park(msgspec.Struct, frozen=True):
    """Publish it to the parked queue with its reason, then ack: an operator must look at it."""

    label: str
    reason: str
    """For the message's header; may quote the event."""
    hint: str
    """For the log: the same without any of the event's data."""
    crash: Exception | None = None
    """The fault is our own rather than the event's: alert."""


Disposition = Ack | Wait | Park


def disposition(outcome: Result | Exception) -> Disposition:
    """A result acks; a part that is away waits; what nobody can read or use is parked, the unforeseen too."""
    match outcome:
        case Done():
            return Ack(outcome.label)
        case TryAgainLater(reason=reason):
            return Wait(reason)
        case RejectedEvent():
            return Park("refused", outcome.reason, ", ".join(outcome.codes))
        case Undecodable():
            return Park("undecodable", str(outcome), str(outcome))
        case Unavailable() | Overloaded() | InFlight():
            return Wait(str(outcome))
        case Misplaced():
            return Park("misplaced", str(outcome), str(outcome))
        case Exception():
            reason = f"unexpected {type(outcome).__name__}"
            return Park("failed", reason, reason, crash=outcome)
