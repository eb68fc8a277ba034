"""Idempotency keys that somebody else is putting in, and does not commit."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import NoReturn
from uuid import UUID

import asyncpg

from adapters.postgres.core.database import Connection, Database
from domain.kernel.errors import InFlight

TRY_MAX = timedelta(milliseconds=20)
"""For each: nobody would ask who had not waited already."""

_TRY = "INSERT INTO idempotency_keys (key, fingerprint, notification_id) VALUES ($1, '', $1)"


class KeyHeld(Exception):
    """Somebody else holds one of the keys for longer than a lock is waited for."""


@contextmanager
def watching_keys() -> Iterator[None]:
    """Raise `KeyHeld` where the server waited in vain to put a key in; not for a table, or a user's row."""
    try:
        yield
    except asyncpg.LockNotAvailableError as waited:
        if "idempotency_keys" in (waited.context or ""):
            raise KeyHeld from None
        raise


async def tell_held(database: Database, keys: Sequence[UUID]) -> NoReturn:
    """Find out which; nothing is written.

    Raises:
        InFlight: these.
    """
    await database.run(partial(_tell, sorted(keys)), lock_max=TRY_MAX)
    raise AssertionError("work that always raises")


async def _tell(keys: Sequence[UUID], connection: Connection) -> NoReturn:
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
