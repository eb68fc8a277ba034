"""The role that docs/database.md makes for the processes, as it stands there."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg

DOCUMENT = Path(__file__).parents[2] / "docs" / "database.md"
NAME = "posthorn_app"


def grants(role: str) -> str:
    """The document's statements, for a role of this name."""
    text = DOCUMENT.read_text()
    [sql] = re.findall(r"```sql\n(.*?)```", text, re.DOTALL)
    assert NAME in sql
    return sql.replace(NAME, role)


@asynccontextmanager
async def least_privileged(dsn: str) -> AsyncIterator[str]:
    """A DSN of the same database for such a role."""
    role = f"app_{uuid4().hex[:12]}"
    owner = await asyncpg.connect(dsn)
    try:
        await owner.execute(grants(role))
        parts = urlsplit(dsn)
        yield urlunsplit(parts._replace(netloc=f"{role}@{parts.netloc.rpartition('@')[2]}"))
    finally:
        await owner.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")
        await owner.close()
