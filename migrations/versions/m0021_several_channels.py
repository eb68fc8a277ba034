"""Notifications go out on several channels; types of notifications are registered."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.add_column("notifications", sa.Column("category", sa.Text))
    op.add_column("notifications", sa.Column("routing", sa.Text))
    op.add_column("notifications", sa.Column("routes", JSONB))
    op.add_column("notification_deliveries", sa.Column("rank", sa.SmallInteger))
    op.create_table(
        "notification_types",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("definition", JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="pk_notification_types"),
    )


def downgrade() -> None:
    op.drop_table("notification_types")
    op.drop_column("notification_deliveries", "rank")
    for column in ("routes", "routing", "category"):
        op.drop_column("notifications", column)
