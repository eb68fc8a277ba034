"""The outbox is read queue by queue: what cannot be published for now is passed over, however much it is."""

from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.execute("CREATE INDEX ix_outbox_owner_queue_priority_id ON outbox (owner, queue, priority, id)")
    op.execute("DROP INDEX ix_outbox_owner_priority_id")


def downgrade() -> None:
    op.execute("CREATE INDEX ix_outbox_owner_priority_id ON outbox (owner, priority, id)")
    op.execute("DROP INDEX ix_outbox_owner_queue_priority_id")
