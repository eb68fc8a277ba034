"""A row made with each key that data is sealed or indexed under: a process with another key notices."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from adapters.postgres.core.database import Database
from adapters.postgres.core.statement import RowsStatement
from application.privacy.ports import Sample

_ALL = "SELECT name, proof FROM key_proofs"


class _Proof(msgspec.Struct, frozen=True):
    """A row of `key_proofs`."""

    name: str
    proof: bytes


_ADD = RowsStatement(
    """
INSERT INTO key_proofs (name, proof) SELECT name, proof FROM :rows AS r ON CONFLICT (name) DO NOTHING
""",
    _Proof,
)
_SAMPLE = """
SELECT id, data_key, profile FROM users WHERE data_key IS NOT NULL AND profile IS NOT NULL LIMIT 1
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresProofs:
    """Implements `Proofs`."""

    database: Database

    async def all(self) -> dict[str, bytes]:
        return {row["name"]: row["proof"] for row in await self.database.fetch(_ALL)}

    async def add(self, proofs: Mapping[str, bytes]) -> None:
        await self.database.fetch(*_ADD([_Proof(name, proof) for name, proof in proofs.items()]))

    async def sample(self) -> Sample | None:
        rows = await self.database.fetch(_SAMPLE)
        return Sample(*rows[0]) if rows else None
