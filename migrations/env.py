"""Alembic's way in: runs revisions on the connection that `adapters.postgres.core.migrate` hands over."""

from alembic import context

from adapters.postgres.core import (  # noqa: F401  they fill the metadata
    catalog_tables,
    device_tables,
    operation_tables,
    tables,
)
from adapters.postgres.core.metadata import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
