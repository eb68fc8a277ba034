"""The outcome of one call to a provider: a closed union, never an exception."""

from datetime import datetime, timedelta

import msgspec


class Accepted(msgspec.Struct, frozen=True, tag="accepted"):
    """The provider has accepted the message."""

    reference: str
    """The provider's own id; receipts quote it."""


class Deferred(msgspec.Struct, frozen=True, tag="deferred"):
    """Definitely not sent this time; a later attempt may succeed."""

    reason: str
    retry_after: timedelta | None = None
    """The provider asked for this wait (Retry-After, 429): it is kept, and the attempt does not count."""
    may_recover: bool = True
    """The cause may pass with time, so slow retries follow.  False: it is given up after the fast retries."""
    examined: bool = True
    """The provider has examined the message, so account and configuration work."""


class Refused(msgspec.Struct, frozen=True, tag="refused"):
    """Definitely not sent, and a retry will not help: a bad address, a blocked recipient, a bad message."""

    reason: str
    examined: bool = True
    """As in `Deferred`; False: it was refused before the provider was asked."""
    gone: bool = False
    """The provider's code says that the address, a device's token, will never work again."""
    gone_at: datetime | None = None
    """Since when; None: it does not say."""


class AccountFault(msgspec.Struct, frozen=True, tag="account_fault"):
    """Definitely not sent, because of our account: the login, the sender, relaying, a quota, TLS.

    It concerns no recipient, so it ends no delivery, and the attempt does not count: the provider is
    paused until a probe succeeds (`domain.provider.health`).
    """

    reason: str
    certain: bool = True
    """False: it may be the fault of this one message."""


class Unknown(msgspec.Struct, frozen=True, tag="unknown"):
    """No answer after the request went out: it may have been sent."""

    reason: str
    of_recipient: bool = False
    """Who did not answer is the recipient's own server: it says nothing of the provider."""


class NotCalled(msgspec.Struct, frozen=True, tag="not_called"):
    """No call was made: the lease or the clearance was too old, or the process is stopping."""

    reason: str


Outcome = Accepted | Deferred | Refused | AccountFault | Unknown | NotCalled
