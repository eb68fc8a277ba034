"""What a template has on its channel beside subject and body."""

from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    op.execute("ALTER TABLE notification_templates ADD COLUMN parts jsonb NOT NULL DEFAULT '{}'")


def downgrade() -> None:
    op.execute("ALTER TABLE notification_templates DROP COLUMN parts")
