"""The mirror of customers, and what operators keep: templates, triggers, channels, API keys."""

from alembic import op

revision = "0001"
down_revision = None

USERS = """
CREATE TABLE users (
    id uuid CONSTRAINT pk_users PRIMARY KEY,
    guest boolean NOT NULL,
    data_key bytea,
    profile bytea,
    email_index bytea,
    phone_index bytea,
    locale text,
    timezone text,
    version integer NOT NULL DEFAULT 1,
    source_time timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    erased_at timestamptz
) WITH (fillfactor = 80)
"""

TEMPLATES = """
CREATE TABLE notification_templates (
    id text NOT NULL,
    version integer NOT NULL,
    name text NOT NULL,
    channel text NOT NULL,
    subject_template text,
    body_template text,
    html_body_template text,
    variables jsonb NOT NULL DEFAULT '{}',
    is_active boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_notification_templates PRIMARY KEY (id, version)
)
"""

TRIGGERS = """
CREATE TABLE triggers (
    id text CONSTRAINT pk_triggers PRIMARY KEY,
    event_type text NOT NULL,
    enabled boolean NOT NULL,
    definition jsonb NOT NULL,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
)
"""

CHANNELS = """
CREATE TABLE channel_configurations (
    channel text CONSTRAINT pk_channel_configurations PRIMARY KEY,
    is_enabled boolean NOT NULL DEFAULT true,
    is_paused boolean NOT NULL DEFAULT false,
    providers text[] NOT NULL,
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now()
)
"""

API_KEYS = """
CREATE TABLE api_keys (
    id uuid CONSTRAINT pk_api_keys PRIMARY KEY,
    digest bytea NOT NULL CONSTRAINT uq_api_keys_digest UNIQUE,
    name text NOT NULL,
    mode text NOT NULL,
    prefix text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    revoked_at timestamptz
)
"""

UP = (
    USERS,
    "CREATE INDEX ix_users_email_index ON users (email_index)",
    "CREATE INDEX ix_users_phone_index ON users (phone_index)",
    TEMPLATES,
    "CREATE UNIQUE INDEX uq_notification_templates_active ON notification_templates (id) WHERE is_active",
    TRIGGERS,
    "CREATE INDEX ix_triggers_event_type ON triggers (event_type)",
    CHANNELS,
    # Every built-in channel is there from the start, in the sandbox until an operator names a provider.
    """
    INSERT INTO channel_configurations (channel, providers)
    SELECT channel, '{sandbox}' FROM unnest('{email,sms,push,in_app,webhook}'::text[]) AS channel
    ON CONFLICT DO NOTHING
    """,
    API_KEYS,
)


def upgrade() -> None:
    for statement in UP:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE api_keys, channel_configurations, triggers, notification_templates, users")
