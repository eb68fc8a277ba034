"""What became of a push delivery on each device."""

from alembic import op

revision = "0020"
down_revision = "0019"

DELIVERY_DEVICES = """
CREATE TABLE delivery_devices (
    delivery_id uuid NOT NULL,
    device bytea NOT NULL,
    epoch smallint NOT NULL,
    attempt integer NOT NULL,
    platform text NOT NULL,
    provider text NOT NULL,
    outcome text NOT NULL,
    reference text,
    reason text,
    failed text NOT NULL DEFAULT '',
    at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_delivery_devices PRIMARY KEY (delivery_id, device)
) PARTITION BY RANGE (delivery_id)
"""


def upgrade() -> None:
    op.execute(DELIVERY_DEVICES)


def downgrade() -> None:
    op.execute("DROP TABLE delivery_devices")
