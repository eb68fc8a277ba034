"""Persons whom test keys name are rows of their own, apart from the shop's customers and guests."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.execute("ALTER TABLE users ADD COLUMN mode text NOT NULL DEFAULT 'live'")
    op.execute("CREATE INDEX ix_users_test ON users (id) WHERE mode = 'test'")


def downgrade() -> None:
    op.execute("DELETE FROM users WHERE mode = 'test'")
    op.execute("DROP INDEX ix_users_test")
    op.execute("ALTER TABLE users DROP COLUMN mode")
