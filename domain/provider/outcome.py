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
    may_recover: bool = True
    """Time may mend it: patience counts.  Else it is tried as often as there are retries, and given up."""
    examined: bool = True
    """The provider has looked at the message: account and configuration are good for it."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Definitely not sent, and never will be, for its recipient's or its own sake: bad address, blocked."""

    reason: str
    examined: bool = True
    """As in `Deferred`; False: it was refused before the provider was asked."""


class AccountFault(msgspec.Struct, frozen=True, tag="account_fault"):
    """Definitely not sent, for our sake: the login, the sender, the relaying, a quota of the account, TLS.

    It concerns no recipient, so it ends no delivery and spends nothing: the provider rests until a probe is
    taken (`domain.provider.health`).
    """

    reason: str
    certain: bool = True
    """False: it may be this one message's own fault after all."""


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """No answer after the request went out: it may have been sent."""

    reason: str


class NotCalled(msgspec.Struct, frozen=True, tag="not_called"):
    """No call was made: the lease or the clearance was too old, or the process is stopping."""

    reason: str


Outcome = Accepted | Deferred | Refused | AccountFault | Unknown | NotCalled
