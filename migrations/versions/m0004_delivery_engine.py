"""What the delivery engine needs to be operated: replays, unknown outcomes, jobs, alerts, broker marker.

A replay begins a new epoch: its retries and its deadline count from `epoch_at`.
"""

from alembic import op

revision = "0004"
down_revision = "0003"

# A lease that ended with neither a call nor a word: its worker died of something.
DELIVERIES = """
ALTER TABLE notification_deliveries
    ADD COLUMN abandoned smallint NOT NULL DEFAULT 0,
    ADD COLUMN epoch_at timestamptz
"""

HISTORY = "ALTER TABLE delivery_status_history ADD COLUMN actor text"

# Why it failed though it has no delivery that could say so.
NOTIFICATIONS = "ALTER TABLE notifications ADD COLUMN reason text"

DEAD_LETTERS = """
ALTER TABLE dead_letter_queue
    ADD COLUMN mode text NOT NULL DEFAULT 'live',
    ADD COLUMN type text NOT NULL DEFAULT '',
    ADD COLUMN fingerprint text NOT NULL DEFAULT '',
    ADD COLUMN resolution text,
    ADD COLUMN note text,
    ADD COLUMN alerted_at timestamptz,
    ADD COLUMN alert_after timestamptz
"""

UNKNOWN_ATTEMPTS = """
CREATE TABLE unknown_attempts (
    delivery_id uuid NOT NULL,
    attempt integer NOT NULL,
    notification_id uuid NOT NULL,
    channel text NOT NULL,
    provider text,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    resolved_by text,
    resolution text,
    CONSTRAINT pk_unknown_attempts PRIMARY KEY (delivery_id, attempt)
)
"""

ALIASES = """
CREATE TABLE notification_aliases (
    id uuid CONSTRAINT pk_notification_aliases PRIMARY KEY,
    notification_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
)
"""

JOBS = """
CREATE TABLE jobs (
    id uuid CONSTRAINT pk_jobs PRIMARY KEY,
    kind text NOT NULL,
    mode text NOT NULL,
    selection jsonb NOT NULL,
    actor text NOT NULL,
    note text,
    total integer NOT NULL,
    done integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    position jsonb,
    error text,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    cancelled_at timestamptz
)
"""

BROKER_MARKER = """
CREATE TABLE broker_marker (
    id uuid CONSTRAINT pk_broker_marker PRIMARY KEY,
    created_at timestamptz NOT NULL DEFAULT now()
)
"""

UP = (
    DELIVERIES,
    HISTORY,
    NOTIFICATIONS,
    DEAD_LETTERS,
    "CREATE INDEX ix_dead_letter_queue_notification_id ON dead_letter_queue (notification_id)",
    "CREATE INDEX ix_dead_letter_queue_closed ON dead_letter_queue (created_at) WHERE closed_at IS NOT NULL",
    "CREATE INDEX ix_dead_letter_queue_alerts ON dead_letter_queue (fingerprint, mode, created_at) "
    "WHERE closed_at IS NULL AND alerted_at IS NULL",
    "CREATE INDEX ix_dead_letter_queue_fingerprint_alerted_at ON dead_letter_queue (fingerprint, alerted_at)",
    UNKNOWN_ATTEMPTS,
    "CREATE INDEX ix_unknown_attempts_created_at ON unknown_attempts (created_at)",
    ALIASES,
    JOBS,
    "CREATE INDEX ix_jobs_unfinished ON jobs (created_at) WHERE finished_at IS NULL",
    BROKER_MARKER,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE broker_marker, jobs, notification_aliases, unknown_attempts")
    op.execute(
        "DROP INDEX ix_dead_letter_queue_alerts, ix_dead_letter_queue_closed, "
        "ix_dead_letter_queue_fingerprint_alerted_at, ix_dead_letter_queue_notification_id"
    )
    op.execute(
        "ALTER TABLE dead_letter_queue DROP COLUMN mode, DROP COLUMN type, DROP COLUMN fingerprint, "
        "DROP COLUMN resolution, DROP COLUMN note, DROP COLUMN alerted_at, DROP COLUMN alert_after"
    )
    op.execute("ALTER TABLE notifications DROP COLUMN reason")
    op.execute("ALTER TABLE delivery_status_history DROP COLUMN actor")
    op.execute("ALTER TABLE notification_deliveries DROP COLUMN abandoned, DROP COLUMN epoch_at")
