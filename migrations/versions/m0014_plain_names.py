"""Four columns get the names of what they hold.  A rename changes the catalogue only, no row."""

from alembic import op

revision = "0014"
down_revision = "0013"

RENAMED = (
    ("notification_deliveries", "abandoned", "strikes"),
    ("notification_deliveries", "spent", "attempts_counted"),
    ("notification_deliveries", "moves", "history_n"),
    ("broker_marker", "relied_at", "current_since"),
)


def upgrade() -> None:
    for table, old, new in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {old} TO {new}")


def downgrade() -> None:
    for table, old, new in RENAMED:
        op.execute(f"ALTER TABLE {table} RENAME COLUMN {new} TO {old}")
