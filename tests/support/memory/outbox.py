"""The outbox, in memory."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from application.outbox.ports import NOTHING_EXCLUDED, Excluded, OutboxBacklog, OutboxMessage
from tests.support.memory.rows import MemoryRows, OutboxRow


def write(rows: MemoryRows, owner: UUID, messages: Sequence[OutboxMessage]) -> None:
    """Insert `messages` as rows of `owner`."""
    for message in messages:
        rows.outbox[message.id] = OutboxRow(message=message, owner=owner, created_at=rows.clock.now())


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryOutbox:
    """Implements `Outbox`; who lives stands in `rows.processes`."""

    rows: MemoryRows
    process: UUID

    async def delete(self, ids: Sequence[UUID]) -> None:
        for id_ in ids:
            self.rows.outbox.pop(id_, None)

    async def owned(self, limit: int, excluded: Excluded = NOTHING_EXCLUDED) -> list[OutboxMessage]:
        mine = [row.message for row in self.rows.outbox.values() if row.owner == self.process]
        return sorted((each for each in mine if _wanted(each, excluded)), key=_urgency)[:limit]

    async def adopt(self, limit: int, excluded: Excluded = NOTHING_EXCLUDED) -> int:
        living = self.rows.processes | {self.process}
        orphans = [
            row
            for row in self.rows.outbox.values()
            if row.owner not in living and _wanted(row.message, excluded)
        ]
        adopted = sorted(orphans, key=lambda row: _urgency(row.message))[:limit]
        for row in adopted:
            row.owner = self.process
        return len(adopted)

    async def backlog(self) -> OutboxBacklog:
        born = [row.created_at for row in self.rows.outbox.values()]
        age = (self.rows.clock.now() - min(born)).total_seconds() if born else 0.0
        return OutboxBacklog(len(born), age)


def _wanted(message: OutboxMessage, excluded: Excluded) -> bool:
    waits = message.due is not None and message.queue in excluded.delayed
    return not waits and message.queue not in excluded.queues and message.id not in excluded.ids


def _urgency(message: OutboxMessage) -> tuple[int, UUID]:
    return message.priority, message.id
