"""What operators look after: dead letters, unknown outcomes, jobs, marks and proofs.  Small tables."""

from sqlalchemy import (
    Column,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.core.metadata import NOW, Id, Time, metadata

_BY_TIME = ("created_at", "delivery_id", "seq")
_OPEN = text("closed_at IS NULL")

dead_letter_queue = Table(
    "dead_letter_queue",
    metadata,
    Column("delivery_id", Id, nullable=False),
    Column("seq", Integer, nullable=False),  # the pointer in the .dlq quotes it
    Column("notification_id", Id, nullable=False, index=True),
    Column("mode", Text, nullable=False, server_default="live"),
    Column("type", Text, nullable=False, server_default=""),
    Column("channel", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("provider", Text),
    Column("reason", Text, nullable=False),
    Column("fingerprint", Text, nullable=False, server_default=""),  # domain.delivery.cause
    Column("attempts", SmallInteger, nullable=False),
    Column("created_at", Time, nullable=False, server_default=NOW),
    Column("alerted_at", Time),
    Column("alert_after", Time),  # somebody is telling of it until then
    Column("closed_at", Time),
    Column("closed_by", Text),
    Column("resolution", Text),  # replayed, discarded
    Column("note", Text),
    PrimaryKeyConstraint("delivery_id", "seq"),
    Index("ix_dead_letter_queue_open", "mode", *_BY_TIME, postgresql_where=_OPEN),
    *(
        Index(f"ix_dead_letter_queue_open_{name}", "mode", name, *_BY_TIME, postgresql_where=_OPEN)
        for name in ("fingerprint", "channel", "provider", "type")
    ),
    Index(
        "ix_dead_letter_queue_closed",
        "mode",
        "resolution",
        *_BY_TIME,
        postgresql_where=text("closed_at IS NOT NULL"),
    ),
    Index(
        "ix_dead_letter_queue_alerts",  # from group to group
        "fingerprint",
        "mode",
        "created_at",
        postgresql_where=text("closed_at IS NULL AND alerted_at IS NULL"),
    ),
    Index(None, "fingerprint", "alerted_at"),
)

unknown_attempts = Table(
    "unknown_attempts",
    metadata,
    Column("delivery_id", Id, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("notification_id", Id, nullable=False),
    Column("mode", Text, nullable=False, server_default="live"),
    Column("channel", Text, nullable=False),
    Column("provider", Text),
    Column("reason", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=NOW),
    Column("resolved_at", Time),
    Column("resolved_by", Text),  # NULL: by the policy of its class
    Column("resolution", Text),  # resend, sent, failed
    PrimaryKeyConstraint("delivery_id", "attempt"),
    Index(None, "notification_id"),
    Index(None, "mode", "created_at", "delivery_id", "attempt"),
    Index(
        "ix_unknown_attempts_unresolved",
        "mode",
        "created_at",
        "delivery_id",
        "attempt",
        postgresql_where=text("resolved_at IS NULL"),
    ),
)

notification_aliases = Table(
    "notification_aliases",
    metadata,
    Column("id", Id, primary_key=True),  # was answered to somebody while the database was away
    Column("notification_id", Id, nullable=False),
    Column("created_at", Time, nullable=False, server_default=NOW),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("selection", JSONB, nullable=False),
    Column("actor", Text, nullable=False),
    Column("note", Text),
    Column("total", Integer, nullable=False),
    Column("done", Integer, nullable=False, server_default=text("0")),
    Column("skipped", Integer, nullable=False, server_default=text("0")),
    Column("position", JSONB),  # how far it has come
    Column("error", Text),
    Column("created_at", Time, nullable=False, server_default=NOW),
    Column("updated_at", Time, nullable=False, server_default=NOW),
    Column("finished_at", Time),
    Column("cancelled_at", Time),
    Index(None, "mode", "id"),
    Index("ix_jobs_unfinished", "created_at", postgresql_where=text("finished_at IS NULL")),
)

broker_marker = Table(
    "broker_marker",
    metadata,
    Column("id", Id, primary_key=True),  # names a queue on the broker
    Column("created_at", Time, nullable=False, server_default=NOW),
    Column("current_since", Time),  # everything is issued since: it must be there.  NULL: not yet, or no more
    Column("position", JSONB),  # how far issuing under it has come
)

overdue_deliveries = Table(
    "overdue_deliveries",
    metadata,
    Column("delivery_id", Id, primary_key=True),  # was open thirty seconds after acceptance
    Column("channel", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("since", Time, nullable=False),  # its time came
    Column("look_at", Time, nullable=False, index=True),
    Column("tries", SmallInteger, nullable=False, server_default=text("0")),  # looks at which it was late
    Index(None, "channel", "priority", "since"),
)

overdue_walks = Table(
    "overdue_walks",
    metadata,
    Column("channel", Text, nullable=False),  # '': through all deliveries
    Column("priority", SmallInteger, nullable=False),
    Column("after", Id, nullable=False),  # how far it has come
    PrimaryKeyConstraint("channel", "priority"),
)

key_proofs = Table(
    "key_proofs",
    metadata,
    Column("name", Text, primary_key=True),  # "key 1", "index"
    Column("proof", LargeBinary, nullable=False),  # made with that key: another one cannot
    Column("created_at", Time, nullable=False, server_default=NOW),
)
