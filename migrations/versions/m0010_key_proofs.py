"""Canary rows of the keys that data is sealed and indexed under; made by the processes that have the keys."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE key_proofs (
            name text CONSTRAINT pk_key_proofs PRIMARY KEY,
            proof bytea NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now()
        )
    """)


def downgrade() -> None:
    op.execute("DROP TABLE key_proofs")
