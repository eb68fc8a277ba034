"""The tables of work and users, as SQLAlchemy metadata; the migrations make exactly this (tested).

Hot tables (`HOT`) are range-partitioned by month on a UUIDv7.  In them no column that changes stands in an
index, so that every update is heap-only, and no foreign keys are kept: a test looks for orphans.  Storage
parameters (fillfactor, autovacuum) stand in the migrations and in `partitions`.  The
catalogue and what operators look after have modules of their own.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Identity,
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

users = Table(
    "users",
    metadata,
    Column("id", Id, primary_key=True),  # UUIDv8 from the keyed digest of the shop's user id or guest address
    Column("mode", Text, nullable=False, server_default="live"),  # test keys have users of their own
    Column("guest", Boolean, nullable=False),
    Column("data_key", LargeBinary),  # wrapped; NULL: erased
    Column("profile", LargeBinary),  # sealed Profile
    Column("email_index", LargeBinary),
    Column("phone_index", LargeBinary, index=True),
    Column("locale", Text),
    Column("timezone", Text),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("source_time", Time),
    Column("created_at", Time, nullable=False, server_default=NOW),
    Column("updated_at", Time, nullable=False, server_default=NOW),
    Column("erased_at", Time),
    Index(None, "email_index", "id"),
    Index("ix_users_test", "id", postgresql_where=text("mode = 'test'")),
)

notifications = Table(
    "notifications",
    metadata,
    Column("id", Id, nullable=False),
    Column("mode", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("class", Text, key="klass", nullable=False),
    Column("channel", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("template_id", Text),
    Column("template_version", Integer),
    Column("category", Text),
    Column("routing", Text),  # what several channels mean; NULL: there is one
    Column("routes", JSONB),  # its channels in their order, with their templates; NULL: there is one
    Column("content", LargeBinary, nullable=False),  # sealed under the notification's content key
    Column("metadata", JSONB),
    Column("created_by", Text),
    Column("traceparent", Text),
    Column("status", Text, nullable=False, server_default="queued"),
    Column("expanded", Boolean, nullable=False, server_default=text("true")),
    Column("open", Integer, nullable=False, server_default="0"),
    Column("sent", Integer, nullable=False, server_default="0"),
    Column("delivered", Integer, nullable=False, server_default="0"),
    Column("bounced", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("unknown", Integer, nullable=False, server_default="0"),
    Column("suppressed", Integer, nullable=False, server_default="0"),
    Column("cancelled", Integer, nullable=False, server_default="0"),
    Column("scheduled_at", Time),  # unused: kept for schedules, which will write it
    Column("cancelled_at", Time),
    Column("reason", Text),  # why it failed though it has no delivery that could say so
    Column("created_at", Time, nullable=False, server_default=NOW),
    Column("updated_at", Time, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("id"),
    Index(None, "metadata", postgresql_using="gin", postgresql_ops={"metadata": "jsonb_path_ops"}),
    Index(None, "mode", "type", "id"),
    Index("ix_notifications_test", "id", postgresql_where=text("mode = 'test'")),
    postgresql_partition_by="RANGE (id)",
)

notification_deliveries = Table(
    "notification_deliveries",
    metadata,
    Column("id", Id, nullable=False),
    Column("notification_id", Id, nullable=False),
    Column("user_id", Id, nullable=False),
    Column("slot", Text, nullable=False),  # which of a recipient's deliveries; today the channel
    Column("channel", Text, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("rank", SmallInteger),  # its turn among a recipient's channels; NULL: they are not tried in turn
    Column("content_key", LargeBinary, nullable=False),  # the content key, wrapped under the user's key
    Column("status", Text, nullable=False, server_default="queued"),
    Column("seq", Integer, nullable=False, server_default="1"),
    Column("attempt", Integer, nullable=False, server_default="0"),  # fencing token: leases so far
    Column("attempts_counted", SmallInteger, nullable=False, server_default=text("0")),
    Column("strikes", SmallInteger, nullable=False, server_default=text("0")),  # workers that died with it
    Column("failovers", SmallInteger, nullable=False, server_default=text("0")),  # of the present round
    Column("epoch", SmallInteger, nullable=False, server_default=text("0")),  # replays so far
    Column("epoch_at", Time),  # when the present one began; NULL: at acceptance
    Column("history_n", SmallInteger, nullable=False, server_default=text("1")),  # of its last history row
    Column("not_before", Time),
    Column("lease_until", Time),
    Column("begun_at", Time),  # a call is under way, or was when its worker died
    Column("held_at", Time),
    Column("provider", Text),
    Column("reason", Text),
    Column("sent_at", Time),
    Column("created_at", Time, nullable=False, server_default=NOW),
    Column("updated_at", Time, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("id"),
    Index(None, "notification_id", "id"),
    Index(None, "user_id", "id"),
    postgresql_partition_by="RANGE (id)",
)

delivery_attempts = Table(
    "delivery_attempts",
    metadata,
    Column("delivery_id", Id, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("provider", Text, nullable=False),
    Column("worker", Id, nullable=False),  # processes.id
    Column("cleared_at", Time, nullable=False),
    Column("begun_at", Time, nullable=False, server_default=NOW),
    Column("settled_at", Time),
    Column("outcome", Text, nullable=False, server_default="open"),
    Column("reference", Text),
    Column("reason", Text),
    Column("latency_ms", Float),
    PrimaryKeyConstraint("delivery_id", "attempt"),
    postgresql_partition_by="RANGE (delivery_id)",
)

delivery_status_history = Table(
    "delivery_status_history",
    metadata,
    Column("delivery_id", Id, nullable=False),
    Column("n", SmallInteger, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("actor", Text),  # who did it, when it was not the engine
    Column("at", Time, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("delivery_id", "n"),
    postgresql_partition_by="RANGE (delivery_id)",
)

delivery_devices = Table(
    "delivery_devices",
    metadata,
    Column("delivery_id", Id, nullable=False),
    Column("device", LargeBinary, nullable=False),  # devices.id, or empty: the user as a whole
    Column("epoch", SmallInteger, nullable=False),  # of the delivery: what is older counts if it was accepted
    Column("attempt", Integer, nullable=False),
    Column("platform", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("reference", Text),
    Column("reason", Text),
    Column("failed", Text, nullable=False, server_default=""),  # providers, in the present round
    Column("at", Time, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("delivery_id", "device"),
    postgresql_partition_by="RANGE (delivery_id)",
)

HOT = {
    notifications: "id",
    notification_deliveries: "id",
    delivery_attempts: "delivery_id",
    delivery_status_history: "delivery_id",
    delivery_devices: "delivery_id",
}
"""Partitioned tables and their partition column."""

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("key", Id, primary_key=True),  # keyed digest of (mode, key)
    Column("fingerprint", LargeBinary, nullable=False),
    Column("notification_id", Id, nullable=False),
    Column("created_at", Time, nullable=False, server_default=NOW),
    Index(None, "created_at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("id", Id, primary_key=True),
    Column("owner", Id, nullable=False),  # processes.id
    Column("queue", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("priority", SmallInteger, nullable=False),
    Column("due", Time),
    Column("headers", JSONB, nullable=False, server_default=text("'{}'")),
    Column("created_at", Time, nullable=False, server_default=NOW),
    Index(None, "owner", "queue", "priority", "id"),
)

processes = Table(
    "processes",
    metadata,
    Column("id", Id, primary_key=True),
    Column("lock", BigInteger, Identity(), nullable=False, unique=True),  # its session advisory lock
    Column("role", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
)

suppressions = Table(
    "suppressions",
    metadata,
    Column("channel", Text, nullable=False),
    Column("address_index", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("channel", "address_index"),
)
