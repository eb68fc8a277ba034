"""Statements of SQLAlchemy Core for the pool's connections, to run within a transaction of `Database.run`."""

from typing import Any

from sqlalchemy import Executable
from sqlalchemy.dialects.postgresql import asyncpg

_DIALECT = asyncpg.dialect()


def compiled(statement: Executable) -> tuple[str, list[Any]]:
    """Its text and arguments, as asyncpg takes them."""
    made = statement.compile(dialect=_DIALECT, compile_kwargs={"render_postcompile": True})
    return str(made), [made.params[name] for name in made.positiontup or ()]
