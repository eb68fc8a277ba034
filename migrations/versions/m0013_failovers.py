"""How many providers of its channel have failed with a delivery in the present round of retries.

A column with a constant default is added to a hot table at once, however many rows it has.
"""

from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    op.execute("ALTER TABLE notification_deliveries ADD COLUMN failovers smallint NOT NULL DEFAULT 0")


def downgrade() -> None:
    op.execute("ALTER TABLE notification_deliveries DROP COLUMN failovers")
