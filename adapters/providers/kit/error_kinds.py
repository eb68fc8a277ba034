"""What an error answer means for its message, and for the account: one table of statuses that all HTTP
providers start from.

A provider's own table goes first (its codes say more than a status); `STATUSES` has what HTTP says itself.
"""

from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum

from domain.provider.outcome import AccountFault, Deferred, Outcome, Refused, Unknown

THROTTLE_WAIT = timedelta(seconds=30)
"""When a provider wants fewer calls and does not say for how long."""


class ErrorKind(StrEnum):
    """Whose fault it is, and so what follows."""

    RECIPIENT = "recipient"
    """The address is wrong, blocked or unreachable: refused."""
    UNSUBSCRIBED = "unsubscribed"
    """The recipient has told the provider that nothing more may come: refused."""
    REQUEST = "request"
    """Our request is wrong, whoever it is for: refused."""
    ACCOUNT = "account"
    """Credentials, sender, quota or configuration: the provider is paused and probed."""
    UNREACHABLE = "unreachable"
    """Our account or sender cannot send to this recipient, and perhaps to no other one: the provider is
    paused when several in a row meet it."""
    THROTTLED = "throttled"
    """Too many calls: later, when the provider says."""
    TEMPORARY = "temporary"
    """Not sent this time."""
    UNKNOWN = "unknown"
    """It may have been sent."""


STATUSES: Mapping[int, ErrorKind] = {
    400: ErrorKind.REQUEST,
    401: ErrorKind.ACCOUNT,
    402: ErrorKind.ACCOUNT,
    403: ErrorKind.ACCOUNT,
    404: ErrorKind.ACCOUNT,
    405: ErrorKind.REQUEST,
    408: ErrorKind.TEMPORARY,
    409: ErrorKind.REQUEST,
    410: ErrorKind.REQUEST,
    411: ErrorKind.REQUEST,
    413: ErrorKind.REQUEST,
    415: ErrorKind.REQUEST,
    422: ErrorKind.REQUEST,
    429: ErrorKind.THROTTLED,
    500: ErrorKind.TEMPORARY,
    503: ErrorKind.TEMPORARY,
}
"""Statuses that mean the same everywhere.  502 and 504 are not among them: they come from a proxy that may
have passed the request on."""


def kind_of_status(status: int) -> ErrorKind:
    """What a status means by itself; a redirection is an address that is configured wrong."""
    if 300 <= status < 400:
        return ErrorKind.ACCOUNT
    return STATUSES.get(status, ErrorKind.REQUEST if 400 <= status < 500 else ErrorKind.UNKNOWN)


def outcome_of(fault: ErrorKind, reason: str, retry_after: timedelta | None = None) -> Outcome:
    """The outcome of a call that met a fault.

    Args:
        reason: stored in the clear: nothing of the message may be in it.
        retry_after: how long the provider wants us to wait.
    """
    match fault:
        case ErrorKind.RECIPIENT | ErrorKind.REQUEST:
            return Refused(reason)
        case ErrorKind.UNSUBSCRIBED:
            return Refused(f"unsubscribed: {reason}")
        case ErrorKind.ACCOUNT:
            return AccountFault(reason)
        case ErrorKind.UNREACHABLE:
            return AccountFault(reason, certain=False)
        case ErrorKind.THROTTLED:
            return Deferred(reason, retry_after=retry_after or THROTTLE_WAIT)
        case ErrorKind.TEMPORARY:
            return Deferred(reason, retry_after=retry_after, examined=False)
        case ErrorKind.UNKNOWN:
            return Unknown(reason)
