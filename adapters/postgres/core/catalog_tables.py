"""What operators keep: templates, triggers, channels, API keys; read often, written seldom."""

from sqlalchemy import Boolean, Column, Index, Integer, LargeBinary, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from adapters.postgres.core.metadata import NOW, Id, Time, metadata

notification_templates = Table(
    "notification_templates",
    metadata,
    Column("id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("subject_template", Text),
    Column("body_template", Text),
    Column("html_body_template", Text),
    Column("parts", JSONB, nullable=False, server_default=text("'{}'")),  # see domain.channel.content
    Column("variables", JSONB, nullable=False, server_default=text("'{}'")),
    Column("is_active", Boolean, nullable=False, server_default=text("false")),
    Column("created_at", Time, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("id", "version"),
    Index("uq_notification_templates_active", "id", unique=True, postgresql_where=text("is_active")),
)

triggers = Table(
    "triggers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("event_type", Text, nullable=False, index=True),
    Column("enabled", Boolean, nullable=False),
    Column("definition", JSONB, nullable=False),  # Trigger
    Column("version", Integer, nullable=False, server_default="1"),
    Column("updated_at", Time, nullable=False, server_default=NOW),
)

notification_types = Table(
    "notification_types",
    metadata,
    Column("id", Text, primary_key=True),
    Column("definition", JSONB, nullable=False),  # NotificationType
    Column("version", Integer, nullable=False, server_default="1"),
    Column("updated_at", Time, nullable=False, server_default=NOW),
)

channel_configurations = Table(
    "channel_configurations",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("is_enabled", Boolean, nullable=False, server_default=text("true")),
    Column("is_paused", Boolean, nullable=False, server_default=text("false")),
    Column("when_disabled", Text, nullable=False, server_default="refuse"),
    Column("providers", ARRAY(Text), nullable=False),
    Column("addressed_by", Text),  # AddressedBy; NULL: built in, or of the configuration
    Column("version", Integer, nullable=False, server_default="1"),
    Column("updated_at", Time, nullable=False, server_default=NOW),
)

described_providers = Table(
    "described_providers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("description", JSONB, nullable=False),  # Description: no secret, only references
    Column("version", Integer, nullable=False, server_default="1"),
    Column("updated_at", Time, nullable=False, server_default=NOW),
)

provider_states = Table(
    "provider_states",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("forced", Text, nullable=False),  # open, closed; auto: as its breaker says
    Column("reason", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("until", Time),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("updated_at", Time, nullable=False, server_default=NOW),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Id, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),  # HMAC-SHA256(pepper, secret)
    Column("name", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("prefix", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=NOW),
    Column("expires_at", Time),
    Column("revoked_at", Time),
)
