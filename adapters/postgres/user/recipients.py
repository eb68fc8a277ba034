"""The users a batch of notifications is for: written with it, in its transaction."""

from collections.abc import Sequence

from adapters.postgres.core.sessions import Connection
from adapters.postgres.core.statement import RowsStatement
from application.notification.ports import KeysChanged, NewUser

_KNOWN = "SELECT id, data_key, profile IS NULL AS bare FROM users WHERE id = ANY($1::uuid[])"

# An erased user comes back under a new key.
_NEWCOMERS = RowsStatement(
    """
INSERT INTO users AS known (id, mode, guest, data_key, profile, email_index, phone_index, locale, timezone)
SELECT id, mode, guest, data_key, profile, email_index, phone_index, locale, timezone
FROM :rows AS given ORDER BY id
ON CONFLICT (id) DO UPDATE SET
    data_key = excluded.data_key, profile = excluded.profile, email_index = excluded.email_index,
    phone_index = excluded.phone_index, locale = excluded.locale, timezone = excluded.timezone,
    version = known.version + 1, updated_at = now(), erased_at = NULL
WHERE known.data_key IS NULL
RETURNING id
""",
    NewUser,
)

_PROFILES = RowsStatement(
    """
UPDATE users AS known SET
    profile = given.profile, email_index = given.email_index, phone_index = given.phone_index,
    locale = given.locale, timezone = given.timezone, version = known.version + 1, updated_at = now()
FROM :rows AS given WHERE known.id = given.id AND known.data_key = given.data_key
RETURNING known.id
""",
    NewUser,
)


async def put_users(connection: Connection, users: Sequence[NewUser]) -> None:
    """Newcomers, and what is newly known of guests.

    Raises:
        KeysChanged: one of them has another key than the one the batch was sealed under.
    """
    rows = await connection.fetch(_KNOWN, [user.id for user in users])
    known = {row["id"]: row["data_key"] for row in rows}
    bare = {row["id"] for row in rows if row["bare"]}
    newcomers = [user for user in users if known.get(user.id) is None]
    others = [user for user in users if known.get(user.id) is not None]
    if any(known[user.id] != user.data_key for user in others):
        raise KeysChanged
    await _write_users(connection, _NEWCOMERS, newcomers)
    # What is known of a customer stands in `users`; of a guest, the newest order knows best.
    updated = [p for p in others if p.profile is not None and (p.guest or p.id in bare)]
    await _write_users(connection, _PROFILES, updated)


async def _write_users(
    connection: Connection, statement: RowsStatement[NewUser], users: Sequence[NewUser]
) -> None:
    if users:
        written = await connection.fetch(*statement(sorted(users, key=lambda user: user.id)))
        if len(written) < len(users):
            raise KeysChanged
