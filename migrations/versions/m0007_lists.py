"""Every list that people read has an index for its filters, and what is deleted or counted finds its rows.

Of dead letters those that are open are looked for by many names; of closed ones there may be very many, and
they are read by time.  An index by key range (BRIN) on the keys' age serves until the space of deleted keys
is used again: old and new rows then lie side by side, and every look reads the whole table.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

OPEN, ORDER = "WHERE closed_at IS NULL", "created_at, delivery_id, seq"

UP = (
    "CREATE INDEX ix_notifications_mode_type_id ON notifications (mode, type, id)",
    "DROP INDEX ix_notifications_type_id",
    "CREATE INDEX ix_notifications_test ON notifications (id) WHERE mode = 'test'",
    "CREATE INDEX ix_users_email_index_id ON users (email_index, id)",
    "DROP INDEX ix_users_email_index",
    "CREATE INDEX ix_jobs_mode_id ON jobs (mode, id)",
    "DROP INDEX ix_dead_letter_queue_open, ix_dead_letter_queue_closed",
    f"CREATE INDEX ix_dead_letter_queue_open ON dead_letter_queue (mode, {ORDER}) {OPEN}",
    *(
        f"CREATE INDEX ix_dead_letter_queue_open_{name} ON dead_letter_queue (mode, {name}, {ORDER}) {OPEN}"
        for name in ("fingerprint", "channel", "provider", "type")
    ),
    f"CREATE INDEX ix_dead_letter_queue_closed ON dead_letter_queue (mode, resolution, {ORDER}) "
    "WHERE closed_at IS NOT NULL",
    "ALTER TABLE unknown_attempts ADD COLUMN mode text NOT NULL DEFAULT 'live'",
    "UPDATE unknown_attempts AS u SET mode = n.mode FROM notifications AS n "
    "WHERE n.id = u.notification_id AND n.mode <> 'live'",
    "CREATE INDEX ix_unknown_attempts_unresolved "
    "ON unknown_attempts (mode, created_at, delivery_id, attempt) WHERE resolved_at IS NULL",
    "CREATE INDEX ix_unknown_attempts_notification_id ON unknown_attempts (notification_id)",
    "CREATE INDEX ix_unknown_attempts_mode_created_at_delivery_id_attempt "
    "ON unknown_attempts (mode, created_at, delivery_id, attempt)",
    "DROP INDEX ix_unknown_attempts_created_at",
    "DROP INDEX ix_idempotency_keys_created_at",
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at)",
)

DOWN = (
    "DROP INDEX ix_idempotency_keys_created_at",
    "CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys USING brin (created_at)",
    "CREATE INDEX ix_unknown_attempts_created_at ON unknown_attempts (created_at)",
    "DROP INDEX ix_unknown_attempts_unresolved, ix_unknown_attempts_notification_id, "
    "ix_unknown_attempts_mode_created_at_delivery_id_attempt",
    "ALTER TABLE unknown_attempts DROP COLUMN mode",
    "DROP INDEX ix_dead_letter_queue_open, ix_dead_letter_queue_open_fingerprint, "
    "ix_dead_letter_queue_open_channel, ix_dead_letter_queue_open_provider, ix_dead_letter_queue_open_type, "
    "ix_dead_letter_queue_closed",
    "CREATE INDEX ix_dead_letter_queue_open ON dead_letter_queue (created_at) WHERE closed_at IS NULL",
    "CREATE INDEX ix_dead_letter_queue_closed ON dead_letter_queue (created_at) WHERE closed_at IS NOT NULL",
    "DROP INDEX ix_jobs_mode_id",
    "CREATE INDEX ix_users_email_index ON users (email_index)",
    "DROP INDEX ix_users_email_index_id",
    "DROP INDEX ix_notifications_test",
    "CREATE INDEX ix_notifications_type_id ON notifications (type, id)",
    "DROP INDEX ix_notifications_mode_type_id",
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in DOWN:
        op.execute(statement)
