"""Devices of users, which push notifications reach."""

from alembic import op

revision = "0018"
down_revision = "0017"

DEVICES = """
CREATE TABLE devices (
    id bytea CONSTRAINT pk_devices PRIMARY KEY,
    user_id uuid NOT NULL,
    service text NOT NULL,
    platform text NOT NULL,
    sealed bytea NOT NULL,
    seen timestamptz NOT NULL DEFAULT now(),
    registered timestamptz NOT NULL DEFAULT now()
)
"""


def upgrade() -> None:
    op.execute(DEVICES)
    op.execute("CREATE INDEX ix_devices_user_id_seen ON devices (user_id, seen)")


def downgrade() -> None:
    op.execute("DROP TABLE devices")
