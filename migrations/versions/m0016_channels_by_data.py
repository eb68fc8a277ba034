"""Channels that the API makes say what addresses a recipient; providers that are described by data."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("channel_configurations", sa.Column("addressed_by", sa.Text))
    op.create_table(
        "described_providers",
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("description", JSONB, nullable=False),
        sa.Column("version", sa.Integer, nullable=False, server_default="1"),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("name", name="pk_described_providers"),
    )


def downgrade() -> None:
    op.drop_table("described_providers")
    op.drop_column("channel_configurations", "addressed_by")
