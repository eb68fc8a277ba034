"""What all tables share: the SQLAlchemy metadata with its naming convention, and the column types."""

from sqlalchemy import DateTime, MetaData, text
from sqlalchemy.dialects.postgresql import UUID

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Id = UUID(as_uuid=True)
Time = DateTime(timezone=True)
NOW = text("now()")
