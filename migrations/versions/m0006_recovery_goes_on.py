"""Issuing everything again goes on where it stopped: each mark knows how far, and whether it is relied on."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    op.execute("ALTER TABLE broker_marker ADD COLUMN relied_at timestamptz, ADD COLUMN position jsonb")
    op.execute("UPDATE broker_marker SET relied_at = created_at")


def downgrade() -> None:
    op.execute("DELETE FROM broker_marker WHERE relied_at IS NULL")
    op.execute("ALTER TABLE broker_marker DROP COLUMN relied_at, DROP COLUMN position")
