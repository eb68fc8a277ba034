"""The counters of notifications, and the status that follows from them: moved by deltas, last of all.

A notification's row is shared by all its deliveries, so it is locked late and in id order.
"""

from domain.delivery.delivery import OPEN
from domain.notification.rollup import Counts

BUCKETS = Counts.__struct_fields__

ROLLUP = f"""
CASE
    WHEN open > 0 OR unknown > 0 OR NOT expanded THEN
        CASE WHEN open = {" + ".join(BUCKETS)} THEN 'queued' ELSE 'processing' END
    WHEN sent > 0 OR delivered > 0 THEN 'completed'
    WHEN cancelled_at IS NOT NULL THEN 'cancelled'
    ELSE 'failed'
END
"""
"""`domain.notification.rollup.rollup` over the columns of one row of `notifications`."""


def counted(moved: str) -> str:
    """A statement that moves the counters of all notifications concerned, to stand in a WITH clause.

    Of several such statements that nobody reads from, PostgreSQL runs the one written first last: this one.

    Args:
        moved: name of the query before it, with the columns `notification_id`, `old` and `status` (of one
            delivery, before and after).
    """
    return f"""
    UPDATE notifications AS n
    SET ({", ".join(BUCKETS)}, status, updated_at) = (
        SELECT {", ".join(BUCKETS)}, {ROLLUP}, now()
        FROM (
            SELECT n.expanded, n.cancelled_at, {", ".join(f"n.{b} + d.{b} AS {b}" for b in BUCKETS)}
        ) AS counts
    )
    FROM (
        SELECT notification_id, {", ".join(_delta(bucket) for bucket in BUCKETS)}
        FROM (
            SELECT notification_id, {_bucket("old")} AS old, {_bucket("status")} AS status FROM {moved}
        ) AS m
        WHERE old <> status
        GROUP BY notification_id ORDER BY notification_id
    ) AS d
    WHERE n.id = d.notification_id
    """  # noqa: S608  composed of the names above


def _bucket(column: str) -> str:
    work = ", ".join(f"'{status}'" for status in sorted(OPEN))
    return f"CASE WHEN {column} IN ({work}) THEN 'open' ELSE {column} END"


def _delta(bucket: str) -> str:
    entered, left = (f"count(*) FILTER (WHERE {column} = '{bucket}')" for column in ("status", "old"))
    return f"({entered} - {left})::int AS {bucket}"
