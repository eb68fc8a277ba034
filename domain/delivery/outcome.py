"""What a gateway says of one call: a closed union, never an exception."""

from datetime import timedelta

import msgspec


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The provider took it."""

    reference: str
    """The provider's own id; receipts quote it."""


class Deferred(msgspec.Struct, frozen=True, tag="deferred"):
    """Definitely not sent this time; may be later."""

    reason: str
    retry_after: timedelta | None = None
    """The provider asked for this wait (Retry-After, 429): lengthens the wait and spends no attempt."""
    hopeful: bool = True
    """Time may mend it: patience counts.  Else it is tried as often as there are retries, and given up."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Definitely not sent, and never will be: bad address, blocked, bad credentials."""

    reason: str


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """No answer after the request went out: it may have been sent."""

    reason: str


class NotCalled(msgspec.Struct, frozen=True, tag="not_called"):
    """No call was made: the lease or the clearance was too old, or the process is stopping."""

    reason: str


Outcome = Accepted | Deferred | Refused | Unknown | NotCalled
