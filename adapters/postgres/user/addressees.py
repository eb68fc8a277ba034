"""The persons a batch of notifications is for: written with it, in its transaction."""

from collections.abc import Sequence

from adapters.postgres.core.database import Connection
from application.notification.ports import KeysChanged, NewPerson

_KNOWN = "SELECT id, data_key, profile IS NULL AS bare FROM users WHERE id = ANY($1::uuid[])"

_GIVEN = """
unnest(
    $1::uuid[], $2::text[], $3::bool[], $4::bytea[], $5::bytea[], $6::bytea[], $7::bytea[], $8::text[],
    $9::text[]
) AS given (id, mode, guest, data_key, profile, email_index, phone_index, locale, timezone)
"""

# An erased person comes back under a new key.
_NEWCOMERS = f"""
INSERT INTO users AS known (id, mode, guest, data_key, profile, email_index, phone_index, locale, timezone)
SELECT given.* FROM {_GIVEN} ORDER BY given.id
ON CONFLICT (id) DO UPDATE SET
    data_key = excluded.data_key, profile = excluded.profile, email_index = excluded.email_index,
    phone_index = excluded.phone_index, locale = excluded.locale, timezone = excluded.timezone,
    version = known.version + 1, updated_at = now(), erased_at = NULL
WHERE known.data_key IS NULL
RETURNING id
"""  # noqa: S608  composed of constants

_PROFILES = f"""
UPDATE users AS known SET
    profile = given.profile, email_index = given.email_index, phone_index = given.phone_index,
    locale = given.locale, timezone = given.timezone, version = known.version + 1, updated_at = now()
FROM {_GIVEN} WHERE known.id = given.id AND known.data_key = given.data_key
RETURNING known.id
"""  # noqa: S608  composed of constants


async def put_persons(connection: Connection, persons: Sequence[NewPerson]) -> None:
    """Newcomers, and what is newly known of guests.

    Raises:
        KeysChanged: one of them has another key than the one the batch was sealed under.
    """
    rows = await connection.fetch(_KNOWN, [person.id for person in persons])
    known = {row["id"]: row["data_key"] for row in rows}
    bare = {row["id"] for row in rows if row["bare"]}
    newcomers = [person for person in persons if known.get(person.id) is None]
    others = [person for person in persons if known.get(person.id) is not None]
    if any(known[person.id] != person.data_key for person in others):
        raise KeysChanged
    await _write_persons(connection, _NEWCOMERS, newcomers)
    # What is known of a customer is the mirror's business; of a guest, the newest order knows best.
    told = [p for p in others if p.profile is not None and (p.guest or p.id in bare)]
    await _write_persons(connection, _PROFILES, told)


async def _write_persons(connection: Connection, statement: str, persons: Sequence[NewPerson]) -> None:
    if not persons:
        return
    people = sorted(persons, key=lambda person: person.id)
    written = await connection.fetch(
        statement,
        [p.id for p in people],
        [p.mode for p in people],
        [p.guest for p in people],
        [p.data_key for p in people],
        [p.profile for p in people],
        [p.email_index for p in people],
        [p.phone_index for p in people],
        [p.locale for p in people],
        [p.timezone for p in people],
    )
    if len(written) < len(people):
        raise KeysChanged
