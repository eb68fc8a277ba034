"""Messages in the app are kept by a provider of their own, where nobody has named another one."""

from alembic import op

revision = "0017"
down_revision = "0016"

_MOVE = """
UPDATE channel_configurations SET providers = '{%s}', version = version + 1, updated_at = now()
WHERE channel = 'in_app' AND providers = '{%s}'
"""


def upgrade() -> None:
    op.execute(_MOVE % ("in_app", "sandbox"))


def downgrade() -> None:
    op.execute(_MOVE % ("sandbox", "in_app"))
