"""Deliveries whose time has come and that are not back: a small table, and how far the walk has come."""

from alembic import op

revision = "0009"
down_revision = "0008"

DELIVERIES = """
CREATE TABLE overdue_deliveries (
    delivery_id uuid CONSTRAINT pk_overdue_deliveries PRIMARY KEY,
    channel text NOT NULL,
    priority smallint NOT NULL,
    since timestamptz NOT NULL,
    look_at timestamptz NOT NULL,
    tries smallint NOT NULL DEFAULT 0
)
"""

WALKS = """
CREATE TABLE overdue_walks (
    channel text NOT NULL,
    priority smallint NOT NULL,
    after uuid NOT NULL,
    CONSTRAINT pk_overdue_walks PRIMARY KEY (channel, priority)
)
"""

# The walk through all deliveries, of no lane.
MAIN = """
INSERT INTO overdue_walks (channel, priority, after) VALUES ('', 0, '00000000-0000-0000-0000-000000000000')
"""

UP = (
    DELIVERIES,
    "CREATE INDEX ix_overdue_deliveries_look_at ON overdue_deliveries (look_at)",
    "CREATE INDEX ix_overdue_deliveries_channel_priority_since "
    "ON overdue_deliveries (channel, priority, since)",
    WALKS,
    MAIN,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE overdue_walks, overdue_deliveries")
