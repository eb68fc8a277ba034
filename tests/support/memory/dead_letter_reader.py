"""Dead letters as they are shown and counted, in memory."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.dead_letter.ports import DeadLetter, DeadLetterStatus, Group, Selection
from application.outbox.pointers import Pointer
from domain.delivery.delivery import DeliveryStatus
from tests.support.memory.rows import DeadLetterRow, MemoryRows


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDeadLetterReader:
    """Implements `DeadLetterReader`."""

    rows: MemoryRows

    async def page(
        self, wanted: Selection, before: tuple[datetime, UUID, int] | None, limit: int
    ) -> list[DeadLetter]:
        found = [row for row in self._found(wanted) if before is None or order(row) < before]
        return [_shown(row) for row in sorted(found, key=order, reverse=True)[:limit]]

    async def groups(self, wanted: Selection, after: tuple[int, str] | None, limit: int) -> list[Group]:
        together: dict[tuple[str, str, str | None], list[DeadLetterRow]] = defaultdict(list)
        for row in sorted(self._found(wanted), key=order):
            together[row.fingerprint, row.channel, row.provider].append(row)
        made = [
            Group(
                fingerprint=group,
                channel=channel,
                provider=provider,
                reason=rows[-1].reason,
                count=len(rows),
                first_at=rows[0].created_at,
                last_at=rows[-1].created_at,
            )
            for (group, channel, provider), rows in together.items()
        ]
        ordered = sorted(made, key=_size)
        if after is not None:
            ordered = [group for group in ordered if _size(group) > (-after[0], after[1])]
        return ordered[:limit]

    async def count(self, wanted: Selection) -> int:
        return len(self._found(wanted))

    async def needed(self, pointers: Sequence[Pointer]) -> frozenset[Pointer]:
        return frozenset(pointer for pointer in pointers if self._needed(pointer))

    def _needed(self, pointer: Pointer) -> bool:
        letter = self.rows.dead_letters.get((pointer.delivery, pointer.seq))
        if letter is not None and letter.closed_at is None:
            return True
        row = self.rows.deliveries.get(pointer.delivery)
        waiting = (DeliveryStatus.QUEUED, DeliveryStatus.SENDING)
        return row is not None and row.seq == pointer.seq and row.status in waiting

    def _found(self, wanted: Selection) -> list[DeadLetterRow]:
        return [row for row in self.rows.dead_letters.values() if matches(row, wanted)]


def matches(row: DeadLetterRow, wanted: Selection) -> bool:
    """Whether a selection chooses this letter."""
    status = DeadLetterStatus.OPEN if row.resolution is None else DeadLetterStatus(row.resolution)
    return (
        row.mode == wanted.mode
        and status is wanted.status
        and all(
            getattr(wanted, name) in (None, getattr(row, name))
            for name in ("fingerprint", "channel", "provider", "type")
        )
        and (not wanted.deliveries or row.delivery_id in wanted.deliveries)
        and wanted.notification in (None, row.notification_id)
        and (wanted.since is None or row.created_at >= wanted.since)
        and (wanted.until is None or row.created_at < wanted.until)
    )


def order(row: DeadLetterRow) -> tuple[datetime, UUID, int]:
    """Letters in the order in which they came."""
    return row.created_at, row.delivery_id, row.seq


def _size(group: Group) -> tuple[int, str]:
    return -group.count, group.fingerprint


def _shown(row: DeadLetterRow) -> DeadLetter:
    fields = ("type", "channel", "provider", "reason", "fingerprint", "attempts", "created_at", "closed_at")
    return DeadLetter(
        delivery=row.delivery_id,
        seq=row.seq,
        notification=row.notification_id,
        priority=row.priority.label,
        closed_by=row.closed_by,
        resolution=row.resolution,
        note=row.note,
        **{name: getattr(row, name) for name in fields},
    )
