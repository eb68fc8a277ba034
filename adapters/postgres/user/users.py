"""The shop's customers, in `users`."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg
from sqlalchemy import any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY

from adapters.postgres.core.database import Database
from adapters.postgres.core.metadata import Id
from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement, compiled
from adapters.postgres.core.tables import users
from application.user.ports import User
from domain.kernel.channel import Mode
from domain.user.update import EARLIEST, WAVER

_USER = [users.c[field] for field in User.__struct_fields__]

# What stood there and cannot be right is as good as none: then nothing is older (see `standing`).
_STANDING = """
CASE WHEN known.source_time BETWEEN :earliest AND now() + :waver::interval THEN known.source_time END
"""

# An erased user comes back with a new key, but not by an event from before the erasure that arrives late.
_PUT = RowsStatement(
    f"""
INSERT INTO users AS known (
    id, mode, guest, data_key, profile, email_index, phone_index, locale, timezone, source_time
)
SELECT
    id, mode, guest, data_key, profile, email_index, phone_index, locale, timezone, source_time
FROM :rows AS given
WHERE coalesce(:expected, 0) = 0 OR EXISTS (SELECT FROM users WHERE users.id = given.id)
ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    guest = excluded.guest,
    data_key = excluded.data_key,
    profile = excluded.profile,
    email_index = excluded.email_index,
    phone_index = excluded.phone_index,
    locale = excluded.locale,
    timezone = excluded.timezone,
    source_time = coalesce(excluded.source_time, {_STANDING}),
    version = known.version + 1,
    updated_at = now(),
    erased_at = NULL
WHERE (known.data_key = excluded.data_key OR known.erased_at IS NOT NULL)
    AND coalesce(excluded.source_time >= greatest({_STANDING}, known.erased_at), true)
    AND coalesce(
        CASE :expected WHEN 0 THEN known.erased_at IS NOT NULL ELSE known.version = :expected END, true
    )
RETURNING id
""",  # noqa: S608  composed of constants
    User,
)

_ERASE = """
UPDATE users SET
    data_key = NULL, profile = NULL, email_index = NULL, phone_index = NULL, locale = NULL, timezone = NULL,
    version = version + 1, updated_at = now(), erased_at = now()
WHERE id = ANY($1::uuid[]) AND erased_at IS NULL
RETURNING id
"""
# A statement of its own, which sees what was registered until the keys were gone.
_ERASE_DEVICES = "DELETE FROM devices WHERE user_id = ANY($1::uuid[])"


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresUsers:
    """Implements `Users`."""

    database: Database

    async def get(self, given: Sequence[UUID]) -> dict[UUID, User]:
        query = select(*_USER).where(users.c.id == any_(literal(given, ARRAY(Id))))
        rows = await self.database.fetch(*compiled(query))
        return {row["id"]: _user(row) for row in rows}

    async def put(self, given: Sequence[User], *, expected: int | None = None) -> dict[UUID, bool]:
        rows = await self.database.fetch(*_PUT(given, expected=expected, earliest=EARLIEST, waver=WAVER))
        written = {row["id"] for row in rows}
        return {user.id: user.id in written for user in given}

    async def erase(self, given: Sequence[UUID]) -> int:
        async def work(connection: Connection) -> int:
            erased = await connection.fetch(_ERASE, sorted(given))
            await connection.fetch(_ERASE_DEVICES, given)
            return len(erased)

        return await self.database.run(work)

    async def page(
        self,
        after: UUID | None,
        limit: int,
        *,
        mode: Mode | None,
        email_index: bytes | None = None,
        phone_index: bytes | None = None,
    ) -> list[User]:
        query = select(*_USER).where(users.c.erased_at.is_(None)).order_by(users.c.id).limit(limit)
        if after is not None:
            query = query.where(users.c.id > after)
        if mode is not None:
            query = query.where(users.c.mode == mode)
        if email_index is not None:
            query = query.where(users.c.email_index == email_index)
        if phone_index is not None:
            query = query.where(users.c.phone_index == phone_index)
        return [_user(row) for row in await self.database.fetch_list(*compiled(query))]


def _user(row: asyncpg.Record) -> User:
    return User(**{**row, "mode": Mode(row["mode"])})
