"""Idempotency keys that another transaction has inserted and not committed yet."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import NoReturn
from uuid import UUID

import asyncpg

from adapters.postgres.core.database import Database
from adapters.postgres.core.sessions import Connection
from domain.kernel.errors import InFlight

TRY_MAX = timedelta(milliseconds=20)
"""How long each key is waited for: the caller has waited for them already."""

_TRY = "INSERT INTO idempotency_keys (key, fingerprint, notification_id) VALUES ($1, '', $1)"


class KeyHeld(Exception):
    """Another transaction holds one of the keys for longer than a lock is waited for."""


@contextmanager
def watching_keys() -> Iterator[None]:
    """Raise `KeyHeld` when inserting a key waited too long for a lock; other locks raise what they did."""
    try:
        yield
    except asyncpg.LockNotAvailableError as waited:
        if "idempotency_keys" in (waited.context or ""):
            raise KeyHeld from None
        raise


async def raise_held(database: Database, keys: Sequence[UUID]) -> NoReturn:
    """Find out which keys are held, and raise it; nothing is written.

    Raises:
        InFlight: with the keys that are held.
    """
    await database.run(partial(_raise_held, sorted(keys)), lock_max=TRY_MAX)
    raise AssertionError("work that always raises")


async def _raise_held(keys: Sequence[UUID], connection: Connection) -> NoReturn:
    held = set()
    for key in keys:
        await connection.execute("SAVEPOINT tried")
        try:
            await connection.execute(_TRY, key)
        except asyncpg.LockNotAvailableError:
            held.add(key)
        except asyncpg.UniqueViolationError:
            pass
        await connection.execute("ROLLBACK TO tried")
    raise InFlight("the same idempotency key is being accepted by somebody else", keys=held)
