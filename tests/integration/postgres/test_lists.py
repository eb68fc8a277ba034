"""Every list of the API on PostgreSQL: its work is bounded by the page, whatever is asked.

What is looked for is the oldest of what is there: whoever walks back from the newest meets everything first.
"""

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

import msgspec
import pytest
import pytest_asyncio
from asyncpg import Record

from adapters.postgres.attempt.unknown_attempts import PostgresUnknownAttempts
from adapters.postgres.core.database import Database
from adapters.postgres.dead_letter.reader import PostgresDeadLetterReader
from adapters.postgres.job.jobs import PostgresJobs
from adapters.postgres.notification.reader import PostgresReader
from adapters.postgres.user.users import PostgresUsers
from adapters.system import SystemIds
from application.notification.page import ListNotifications
from application.user.page import ListUsers
from domain.kernel.ids import derived_user_id
from entrypoints.http.attempt import AttemptQuery
from entrypoints.http.dead_letter.routes import DeadLetterQuery
from entrypoints.http.kit.fields import Time
from entrypoints.http.kit.time_range import SPAN_MAX
from entrypoints.http.notification.routes import NotificationQuery
from entrypoints.http.user.routes import UserQuery
from tests.api.world import World, build, errors_of

ROWS, RARE, LIMIT = 8_000, 30, 10
VISITED_MAX = 400
"""Rows that a page of ten may touch, in all tables of its joins."""
DAY = ROWS // 20
"""Rows of one of the twenty days over which they are spread."""
NOW = datetime.now(UTC)
OLDEST = NOW - timedelta(days=20)
THEN = quote(OLDEST.isoformat())
RANGE = f"created_after={THEN}&created_before={quote((OLDEST + timedelta(hours=12)).isoformat())}"

_ID = """
(lpad(to_hex($1::bigint + n * $2::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 3)
    || '8' || substr(md5('x' || n), 1, 15))::uuid
"""
_AT = "to_timestamp(($1::bigint + n * $2::bigint) / 1000.0)"
_IS_RARE = "n < $3::int"
_MODE = "CASE WHEN n BETWEEN $3 AND 2 * $3 - 1 THEN 'test' ELSE 'live' END"


def _or(rare: str, usual: str) -> str:
    return f"CASE WHEN {_IS_RARE} THEN {rare} ELSE {usual} END"


_SEED = (
    f"""
    INSERT INTO notifications (
        id, mode, type, class, channel, priority, content, metadata, created_by, status, created_at
    )
    SELECT {_ID}, {_MODE}, {_or("'rare'", "'usual'")}, 'transactional', {_or("'sms'", "'email'")}, 2, '',
        CASE WHEN {_IS_RARE} THEN '{{"rare": "yes"}}'::jsonb END, {_or("'somebody'", "'shop'")},
        {_or("'failed'", "'completed'")}, {_AT}
    FROM generate_series(0, $4::int - 1) AS n
    """,
    f"""
    INSERT INTO notification_deliveries (
        id, notification_id, user_id, slot, channel, priority, content_key, status, created_at
    )
    SELECT {_ID}, {_ID}, {_or("$5::uuid", "md5('u' || n % 500)::uuid")}, 's', 'email', 2, '', 'unknown', {_AT}
    FROM generate_series(0, $4::int - 1) AS n
    """,
    f"""
    INSERT INTO dead_letter_queue (
        delivery_id, seq, notification_id, mode, type, channel, priority, provider, reason, fingerprint,
        attempts, created_at, closed_at, resolution
    )
    SELECT {_ID}, closed, {_ID}, {_MODE}, {_or("'rare'", "'usual'")}, {_or("'sms'", "'email'")}, 2,
        {_or("'twilio'", "'smtp'")}, 'reason ' || n, {_or("repeat('f', 16)", "repeat((n % 9)::text, 16)")}, 1,
        {_AT}, CASE closed WHEN 1 THEN now() END,
        CASE closed WHEN 1 THEN {_or("'discarded'", "'replayed'")} END
    FROM generate_series(0, $4::int - 1) AS n, generate_series(0, 1) AS closed
    """,
    f"""
    INSERT INTO unknown_attempts (
        delivery_id, attempt, notification_id, mode, channel, provider, reason, created_at, resolved_at
    )
    SELECT {_ID}, 1, {_ID}, {_MODE}, {_or("'sms'", "'email'")}, {_or("'twilio'", "'smtp'")}, 'r', {_AT},
        CASE WHEN NOT ({_IS_RARE}) THEN now() END
    FROM generate_series(0, $4::int - 1) AS n
    """,
    f"""
    INSERT INTO jobs (id, kind, mode, selection, actor, total)
    SELECT {_ID}, 'dead_letters_replay', {_MODE}, '{{"mode": "live"}}', 'ada', 0
    FROM generate_series(0, $4::int - 1) AS n
    """,
    f"""
    INSERT INTO users (id, guest, data_key, email_index)
    SELECT md5('u' || n)::uuid, false, '', {_or("$6::bytea", "decode(md5(n::text), 'hex')")}
    FROM generate_series(0, $4::int - 1) AS n
    """,
)


class Plans(Database):
    """A database that explains every list before it is read."""

    def __init__(self, dsn: str) -> None:
        super().__init__(dsn)
        self.seen: list[dict[str, Any]] = []

    async def fetch_list(self, query: str, *args: Any) -> list[Record]:
        explained = f"EXPLAIN (ANALYZE, VERBOSE, TIMING OFF, FORMAT JSON) {query}"
        [[found]] = await super().fetch_list(explained, *args)
        self.seen.append(msgspec.json.decode(found)[0]["Plan"])
        return await super().fetch_list(query, *args)

    @property
    def visited(self) -> int:
        return sum(_visited(plan) for plan in self.seen)

    def explained(self) -> str:
        """The nodes, with what they visited."""
        return "\n".join(line for plan in self.seen for line in _lines(plan, ""))


def _lines(plan: dict[str, Any], indent: str) -> list[str]:
    lost = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    name = plan.get("Index Name") or plan.get("Relation Name") or ""
    line = f"{indent}{plan['Node Type']} {name} {plan['Actual Rows']}+{lost} x {plan['Actual Loops']}"
    return [line, *(text for each in plan.get("Plans", ()) for text in _lines(each, indent + "  "))]


def _visited(plan: dict[str, Any]) -> int:
    below = sum(_visited(each) for each in plan.get("Plans", ()))
    if "Relation Name" not in plan and "Index Name" not in plan:
        return below
    lost = plan.get("Rows Removed by Filter", 0) + plan.get("Rows Removed by Index Recheck", 0)
    return below + round((plan["Actual Rows"] + lost) * plan["Actual Loops"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def filled(module_database: str) -> str:
    """A database with more than anybody should read for a page."""
    vault = (await build()).app.services.list_users.vault
    user, address = derived_user_id(vault.index("user", "rare")), vault.index("email", "rare@example.com")
    step = round(timedelta(days=20) / timedelta(milliseconds=1)) // ROWS
    known = (round(OLDEST.timestamp() * 1000), step, RARE, ROWS, f"'{user}'", f"'\\x{address.hex()}'")
    async with Database(module_database) as store:
        for statement in _SEED:
            for n, value in enumerate(known, start=1):
                statement = statement.replace(f"${n}", str(value))
            await store.fetch(statement)
        await store.fetch("VACUUM ANALYZE")
    return module_database


@pytest.fixture
async def plans(filled: str) -> AsyncIterator[Plans]:
    async with Plans(filled) as plans:
        yield plans


@pytest.fixture
def store(plans: Plans) -> Database:
    return plans


@pytest.fixture
async def lists(store: Database) -> World:
    """The API, whose lists are read from PostgreSQL."""
    world, ids = await build(), SystemIds()
    usual = world.app.services
    vault, addresses = usual.list_users.vault, usual.list_users.addresses
    world.app.services = replace(
        usual,
        list_notifications=ListNotifications(reader=PostgresReader(database=store), vault=vault),
        list_users=ListUsers(users=PostgresUsers(database=store), vault=vault, addresses=addresses),
        operations=replace(
            usual.operations,
            dead_letters=PostgresDeadLetterReader(database=store),
            unknown=PostgresUnknownAttempts(database=store, process=ids.next(), ids=ids),
            jobs=PostgresJobs(database=store),
        ),
    )
    return world


NOTIFICATIONS = {
    "": LIMIT,
    "type=rare": LIMIT,
    "type=rare,nothing": LIMIT,
    "recipient=rare": LIMIT,
    "recipient=rare&status=failed&channel=sms&createdBy=somebody": LIMIT,
    "metadata.rare=yes": LIMIT,
    "metadata.rare:json=%22yes%22": LIMIT,
    RANGE: LIMIT,
    f"status=failed&{RANGE}": LIMIT,
    f"channel=sms&{RANGE}": LIMIT,
    f"createdBy=somebody&{RANGE}": LIMIT,
    f"type=usual&status=failed&{RANGE}": 0,
}
LETTERS = {
    "": LIMIT,
    "group=ffffffffffffffff": LIMIT,
    "channel=sms": LIMIT,
    "provider=twilio": LIMIT,
    "type=rare": LIMIT,
    f"status=replayed&channel=email&type=usual&{RANGE}": LIMIT,
    "status=discarded": LIMIT,
    f"status=discarded&group=ffffffffffffffff&provider=twilio&{RANGE}": LIMIT,
    "notification={oldest}": 1,
    RANGE: LIMIT,
}
ATTEMPTS = {
    "state=unknown": LIMIT,
    "held=true": LIMIT,
    "resolved=false": LIMIT,
    "held=true&channel=sms&provider=twilio": LIMIT,
    "notification={oldest}": 1,
    f"held=false&{RANGE}": LIMIT,
    f"resolved=true&{RANGE}": LIMIT,
    f"channel=sms&{RANGE}": LIMIT,
    f"provider=twilio&{RANGE}": LIMIT,
}
USERS = {"": LIMIT, "email=rare@example.com": LIMIT}
CASES = [
    (path, query, found)
    for path, queries in (
        ("notifications", NOTIFICATIONS),
        ("dead-letters", LETTERS),
        ("attempts", ATTEMPTS),
        ("users", USERS),
        ("jobs", {"": LIMIT}),
    )
    for query, found in queries.items()
]


@pytest.mark.parametrize(("path", "query", "found"), CASES)
async def test_a_page_costs_what_a_page_costs(
    store: Database, lists: World, plans: Plans, path: str, query: str, found: int
) -> None:
    answer = await lists.client.get(f"/api/{path}?{await _filled_in(store, query)}&limit={LIMIT}")
    assert answer.status_code == 200, answer.text
    assert len(answer.json()["items"]) == found
    # What no index serves is looked for in half a day.
    bound = VISITED_MAX + (DAY // 2 if RANGE in query else 0) * 3
    assert 0 < plans.visited < bound, plans.explained()


@pytest.mark.parametrize("path", ["notifications", "dead-letters", "attempts", "jobs"])
async def test_a_test_key_does_not_walk_through_what_is_live(lists: World, plans: Plans, path: str) -> None:
    answer = await lists.client.get(f"/api/{path}?limit={LIMIT}", headers=lists.as_test())
    assert len(answer.json()["items"]) == LIMIT, answer.text
    assert plans.visited < VISITED_MAX


async def test_the_second_page_costs_no_more(lists: World, plans: Plans) -> None:
    for path, queries in (
        ("notifications", NOTIFICATIONS),
        ("dead-letters", LETTERS),
        ("attempts", ATTEMPTS),
    ):
        for query in (query for query, found in queries.items() if found == LIMIT):
            first = await lists.client.get(f"/api/{path}?{query}&limit={LIMIT}")
            plans.seen.clear()
            second = await lists.client.get(first.links["next"]["url"])
            assert len(second.json()["items"]) == LIMIT, query
            assert plans.visited < VISITED_MAX + (DAY // 2 if RANGE in query else 0) * 3, (path, query)


@pytest.mark.parametrize(
    ("queries", "struct"),
    [
        (NOTIFICATIONS, NotificationQuery),
        (LETTERS, DeadLetterQuery),
        (ATTEMPTS, AttemptQuery),
        (USERS, UserQuery),
    ],
)
def test_no_filter_is_left_out(queries: dict[str, int], struct: type[msgspec.Struct]) -> None:
    asked = {part.partition("=")[0] for query in queries for part in query.split("&")}
    assert {each.encode_name for each in msgspec.structs.fields(struct)} - asked <= {"limit", "cursor"}


@pytest.mark.parametrize(
    ("path", "query"),
    [("notifications", f"{each}=x") for each in ("createdBy", "channel")]
    + [("notifications", "status=failed"), ("notifications", "type=rare&status=failed")]
    + [("dead-letters", f"status=replayed&{each}=x") for each in ("channel", "provider", "type")]
    + [
        ("dead-letters", "status=discarded&group=ffffffffffffffff"),
        ("dead-letters/groups", "status=replayed"),
    ]
    + [("attempts", each) for each in ("resolved=true", "held=false", "channel=x", "provider=x")],
)
async def test_what_no_index_serves_demands_a_span_of_time(lists: World, path: str, query: str) -> None:
    ask = f"/api/{path}?{query}"
    assert errors_of(await lists.client.get(ask)) == {"created_after": "missing"}
    before = quote(NOW.isoformat())
    assert errors_of(await lists.client.get(f"{ask}&created_before={before}")) == {"created_after": "missing"}
    long_ago = quote((NOW - SPAN_MAX - timedelta(days=2)).isoformat())
    for span in (
        f"created_after={long_ago}",
        f"created_after={long_ago}&created_before=9999-12-31T00:00:00Z",
    ):
        assert errors_of(await lists.client.get(f"{ask}&{span}")) == {"created_after": "range_too_long"}
    after = quote((NOW - SPAN_MAX).isoformat())
    assert (await lists.client.get(f"{ask}&created_after={after}")).status_code == 200
    bounded = f"created_after={long_ago}&created_before={quote((NOW - timedelta(days=3)).isoformat())}"
    assert (await lists.client.get(f"{ask}&{bounded}")).status_code == 200


async def test_causes_are_counted_without_reading_their_reasons(lists: World, plans: Plans) -> None:
    answer = await lists.client.get("/api/dead-letters/groups?limit=100")
    groups = answer.json()["items"]
    assert sum(group["count"] for group in groups) == ROWS - RARE
    newest = max(groups, key=lambda group: group["lastAt"])
    assert newest["reason"] == f"reason {ROWS - 1}"
    assert next(group for group in groups if group["group"] == "f" * 16)["count"] == RARE
    [plan] = plans.seen
    kept = [text for node in _nodes(plan) if "Aggregate" in node["Node Type"] for text in node["Output"]]
    assert kept
    assert not any("reason" in text for text in kept), kept


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _nodes(each)


EXTREMES = (
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00%2B23:59",
    "1969-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:59.999999-23:59",
)
TIMED = {
    f"{path}?{each.encode_name}"
    for path, struct in (
        ("notifications", NotificationQuery),
        ("dead-letters", DeadLetterQuery),
        ("dead-letters/groups", DeadLetterQuery),
        ("attempts", AttemptQuery),
    )
    for each in msgspec.structs.fields(struct)
    if Time in getattr(each.type, "__args__", ())
}


@pytest.mark.parametrize("asked", sorted(TIMED))
async def test_no_time_is_too_early_or_too_late(lists: World, asked: str) -> None:
    after = asked.endswith("created_after")
    for extreme in EXTREMES:
        answer = await lists.client.get(f"/api/{asked}={extreme}&limit=1")
        assert answer.status_code == 200, (extreme, answer.text)
        everything = extreme < "2" if after else extreme > "2"
        assert bool(answer.json()["items"]) == everything, extreme


def test_times_are_found_by_their_type() -> None:
    assert len(TIMED) == 8


@pytest.mark.parametrize("extreme", EXTREMES)
async def test_nor_for_a_job(lists: World, extreme: str) -> None:
    for member in ("since", "until"):
        body = {member: extreme.replace("%2B", "+")}
        answer = await lists.client.post("/api/dead-letters:replay?dry_run=true", json=body)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["count"] > 0) == ((extreme < "2") == (member == "since"))


NUMBERS = [
    "0",
    "-0",
    "-1",
    "9" * 30,
    "9" * 5_000,
    "1e400",
    "-1e400",
    "1e-400",
    "0.1",
    "NaN",
    "٣",
    "1_0",
    "+1",
    " 1",
]


@pytest.mark.parametrize("number", NUMBERS, ids=range(len(NUMBERS)))
async def test_no_number_is_too_large(lists: World, number: str) -> None:
    for path in ("notifications", "dead-letters", "dead-letters/groups", "attempts", "users", "jobs"):
        answer = await lists.client.get(f"/api/{path}", params={"limit": number})
        assert answer.status_code in (200, 422), (path, answer.text)
    answer = await lists.client.get("/api/notifications", params={"metadata.n:json": number})
    assert answer.status_code in (200, 422), answer.text


async def _filled_in(store: Database, query: str) -> str:
    if "{oldest}" not in query:
        return query
    [row] = await store.fetch("SELECT id FROM notifications ORDER BY id LIMIT 1")
    oldest: UUID = row["id"]
    return query.replace("{oldest}", str(oldest))
