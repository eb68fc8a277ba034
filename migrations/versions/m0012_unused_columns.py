"""Six columns that no statement reads or writes are dropped.

The times of receipts come back with the room that writes them: a column without a default is added to a hot
table at once, however many rows it has.
"""

from alembic import op

revision = "0012"
down_revision = "0011"

RECEIPTS = ("delivered_at", "opened_at", "clicked_at", "complained_at", "unsubscribed_at")


def upgrade() -> None:
    op.execute(f"ALTER TABLE notification_deliveries {', '.join(f'DROP COLUMN {name}' for name in RECEIPTS)}")
    op.execute("ALTER TABLE processes DROP COLUMN started_at")


def downgrade() -> None:
    op.execute("ALTER TABLE processes ADD COLUMN started_at timestamptz NOT NULL DEFAULT now()")
    added = ", ".join(f"ADD COLUMN {name} timestamptz" for name in RECEIPTS)
    op.execute(f"ALTER TABLE notification_deliveries {added}")
