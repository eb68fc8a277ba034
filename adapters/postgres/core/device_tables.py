"""Devices of users, and what became of a push delivery on each of them."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text

from adapters.postgres.core.metadata import NOW, Id, Time, metadata

devices = Table(
    "devices",
    metadata,
    Column("id", LargeBinary, primary_key=True),  # keyed digest of the token
    Column("user_id", Id, nullable=False),
    Column("service", Text, nullable=False),
    Column("platform", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # a Device, under the user's key
    Column("seen", Time, nullable=False, server_default=NOW),
    Column("registered", Time, nullable=False, server_default=NOW),
    Index(None, "user_id", "seen"),
)
