"""What PostgreSQL and its drivers raise, as errors of the house.

Texts that may quote a value (data errors) are not kept: they could hold an address.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from traceback import walk_tb

import asyncpg

from domain.kernel.errors import (
    Fault,
    Invalid,
    Misconfigured,
    Misplaced,
    Overloaded,
    PosthornError,
    StoreUnavailable,
)

LOCK_NOT_AVAILABLE = "55P03"
DEADLOCK, SERIALIZATION = "40P01", "40001"
RETRIED = frozenset({DEADLOCK, SERIALIZATION})
"""Nothing was done and the same work may succeed at once."""

BROKEN = asyncpg.InternalClientError
"""The server hung up at the wrong moment: asyncpg no longer knows where this connection stands."""

DRIVER_ERRORS = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, BROKEN)
"""Time-outs are OSErrors."""

_AWAY_CLASSES = ("08", "53", "57", "58")  # connection, resources, operator intervention, system
_AWAY_STATES = RETRIED | {
    LOCK_NOT_AVAILABLE,
    "25006",  # read-only: a replica answers while a failover is under way
    "25P03",  # idle in transaction for too long: the server hung up
}
NO_PARTITION = "23514"
"""For this time; the tables have no other checks."""
_MISCONFIGURED = {
    "28": "PostgreSQL refuses the login of db.url",
    "3D000": "the database of db.url does not exist",
    "42P01": "a table is missing: run `posthorn migrate`",
    "42501": "the role of db.url lacks a right: docs/database.md lists those it needs",
}


def sqlstate(error: BaseException) -> str | None:
    """The five characters with which PostgreSQL classifies an error."""
    return getattr(error, "sqlstate", None)


def translate(error: Exception) -> PosthornError | None:
    """The house's error for a driver's, or None when it is neither trouble nor data but a bug of ours."""
    state = sqlstate(error)
    if state is None:
        return _translate_client_side(error)
    if state == LOCK_NOT_AVAILABLE:
        return StoreUnavailable("PostgreSQL: a lock was not free in time")
    if state == NO_PARTITION:
        return Misplaced()
    if state.startswith("22"):
        return Invalid(Fault("", "refused_by_database", f"the database refuses a value (SQLSTATE {state})"))
    if state in _AWAY_STATES or state.startswith(_AWAY_CLASSES):
        return StoreUnavailable(f"PostgreSQL: SQLSTATE {state}")
    for prefix, advice in _MISCONFIGURED.items():
        if state.startswith(prefix):
            return Misconfigured(advice)
    return None


def _translate_client_side(error: Exception) -> PosthornError | None:
    if isinstance(error, asyncpg.ClientConfigurationError):
        return Misconfigured("db.url is not a URL of PostgreSQL: postgresql://user:password@host/db")
    if isinstance(error, asyncpg.DataError):  # the driver cannot encode an argument
        return Invalid(Fault("", "refused_by_database", "the database has no room for a value of this kind"))
    if isinstance(error, OSError | asyncpg.InterfaceError) or lost(error):
        return StoreUnavailable(f"PostgreSQL: {type(error).__name__}")
    return None


def lost(error: BaseException) -> bool:
    """Whether the driver no longer knows where a connection stands: something came that it did not expect.

    What may come is no list of exceptions: whatever it raises that is neither its own nor a time-out.
    """
    return isinstance(error, BROKEN) or (
        isinstance(error, Exception) and not isinstance(error, DRIVER_ERRORS) and within_driver(error)
    )


def within_driver(error: BaseException, function: str = "") -> bool:
    """Whether asyncpg raised it, in a function of such a name."""
    return any(
        str(frame.f_globals.get("__name__")).startswith("asyncpg.") and function in frame.f_code.co_name
        for frame, _ in walk_tb(error.__traceback__)
    )


@contextmanager
def brief() -> Iterator[None]:
    """What takes too long here was asked too much: for lists, whose limits are short.

    Raises:
        Overloaded.
    """
    try:
        yield
    except asyncpg.QueryCanceledError:
        raise Overloaded("the list takes too long: ask for a shorter time range") from None


@contextmanager
def translated() -> Iterator[None]:
    """Raise errors of the house in place of the driver's; data errors without their text."""
    try:
        yield
    except PosthornError:
        raise
    except Exception as error:
        ours = translate(error)
        if ours is None:
            raise
        raise ours from (None if isinstance(ours, Invalid | Misconfigured) else error)
