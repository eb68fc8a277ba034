"""A disabled channel says what becomes of new requests: refused, or accepted to wait."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.execute("ALTER TABLE channel_configurations ADD COLUMN when_disabled text NOT NULL DEFAULT 'refuse'")


def downgrade() -> None:
    op.execute("ALTER TABLE channel_configurations DROP COLUMN when_disabled")
