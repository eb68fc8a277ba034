"""The hot tables, partitioned by month on a UUIDv7, and the function that derives a delivery's id.

No foreign keys, and no index on a column that changes: every update stays heap-only.  Partitions are made by
`adapters.postgres.core.partitions`, which also gives them their fillfactor.
"""

from alembic import op

revision = "0002"
down_revision = "0001"

# As domain.kernel.ids.delivery_id: the notification's milliseconds, then 74 bits of SHA-256 over the three
# parts, each behind its length, with version 7 and variant 10 put in between.
DELIVERY_ID = r"""
CREATE FUNCTION posthorn_delivery_id(notification uuid, person uuid, slot text) RETURNS uuid
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN (
    SELECT (
        left(replace(notification::text, '-', ''), 12)
        || lpad(to_hex((B'0111' || substring(bits FROM 1 FOR 12))::bit(16)::int), 4, '0')
        || lpad(to_hex((B'10' || substring(bits FROM 13 FOR 62))::bit(64)::bigint), 16, '0')
    )::uuid
    FROM (
        SELECT ('x' || encode(substr(sha256(
            '\x00000010'::bytea || uuid_send(notification)
            || '\x00000010'::bytea || uuid_send(person)
            || int4send(octet_length(convert_to(slot, 'UTF8'))) || convert_to(slot, 'UTF8')
        ), 1, 10), 'hex'))::bit(80) AS bits
    ) AS digest
)
"""

NOTIFICATIONS = """
CREATE TABLE notifications (
    id uuid NOT NULL,
    mode text NOT NULL,
    type text NOT NULL,
    class text NOT NULL,
    channel text NOT NULL,
    priority smallint NOT NULL,
    template_id text,
    template_version integer,
    content bytea NOT NULL,
    metadata jsonb,
    created_by text,
    traceparent text,
    status text NOT NULL DEFAULT 'queued',
    expanded boolean NOT NULL DEFAULT true,
    open integer NOT NULL DEFAULT 0,
    sent integer NOT NULL DEFAULT 0,
    delivered integer NOT NULL DEFAULT 0,
    bounced integer NOT NULL DEFAULT 0,
    failed integer NOT NULL DEFAULT 0,
    unknown integer NOT NULL DEFAULT 0,
    suppressed integer NOT NULL DEFAULT 0,
    cancelled integer NOT NULL DEFAULT 0,
    scheduled_at timestamptz,
    cancelled_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_notifications PRIMARY KEY (id)
) PARTITION BY RANGE (id)
"""

DELIVERIES = """
CREATE TABLE notification_deliveries (
    id uuid NOT NULL,
    notification_id uuid NOT NULL,
    user_id uuid NOT NULL,
    slot text NOT NULL,
    channel text NOT NULL,
    priority smallint NOT NULL,
    content_key bytea NOT NULL,
    status text NOT NULL DEFAULT 'queued',
    seq integer NOT NULL DEFAULT 1,
    attempt integer NOT NULL DEFAULT 0,
    spent smallint NOT NULL DEFAULT 0,
    epoch smallint NOT NULL DEFAULT 0,
    moves smallint NOT NULL DEFAULT 1,
    not_before timestamptz,
    lease_until timestamptz,
    begun_at timestamptz,
    held_at timestamptz,
    provider text,
    reason text,
    sent_at timestamptz,
    delivered_at timestamptz,
    opened_at timestamptz,
    clicked_at timestamptz,
    complained_at timestamptz,
    unsubscribed_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_notification_deliveries PRIMARY KEY (id)
) PARTITION BY RANGE (id)
"""

ATTEMPTS = """
CREATE TABLE delivery_attempts (
    delivery_id uuid NOT NULL,
    attempt integer NOT NULL,
    provider text NOT NULL,
    worker uuid NOT NULL,
    cleared_at timestamptz NOT NULL,
    begun_at timestamptz NOT NULL DEFAULT now(),
    settled_at timestamptz,
    outcome text NOT NULL DEFAULT 'open',
    reference text,
    reason text,
    latency_ms float,
    CONSTRAINT pk_delivery_attempts PRIMARY KEY (delivery_id, attempt)
) PARTITION BY RANGE (delivery_id)
"""

HISTORY = """
CREATE TABLE delivery_status_history (
    delivery_id uuid NOT NULL,
    n smallint NOT NULL,
    status text NOT NULL,
    reason text,
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_delivery_status_history PRIMARY KEY (delivery_id, n)
) PARTITION BY RANGE (delivery_id)
"""

UP = (
    DELIVERY_ID,
    NOTIFICATIONS,
    "CREATE INDEX ix_notifications_metadata ON notifications USING gin (metadata jsonb_path_ops)",
    "CREATE INDEX ix_notifications_type_id ON notifications (type, id)",
    DELIVERIES,
    "CREATE INDEX ix_notification_deliveries_notification_id_id "
    "ON notification_deliveries (notification_id, id)",
    "CREATE INDEX ix_notification_deliveries_user_id_id ON notification_deliveries (user_id, id)",
    ATTEMPTS,
    HISTORY,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute(
        "DROP TABLE delivery_status_history, delivery_attempts, notification_deliveries, notifications"
    )
    op.execute("DROP FUNCTION posthorn_delivery_id(uuid, uuid, text)")
