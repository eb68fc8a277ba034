"""Dead letters, in memory: written, sent again, put aside."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from application.dead_letter.ports import GivenUp, Reopened
from application.kernel.ports import Ids
from application.outbox.dispatch import Dispatch, dead_letter, messages, requeued
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage
from domain.delivery.cause import cause, fingerprint
from domain.delivery.delivery import DeliveryStatus, advance
from domain.kernel.text import storable
from tests.support.memory import outbox
from tests.support.memory.counters import count
from tests.support.memory.next_channel import follow
from tests.support.memory.rows import DeadLetterRow, DeliveryRow, MemoryRows, UnknownRow

_S = DeliveryStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDeadLetters:
    """Implements `DeadLetters`.

    Args:
        process: owner of the outbox rows.
    """

    rows: MemoryRows
    process: UUID
    ids: Ids

    async def give_up(self, pointers: Sequence[Pointer], reason: str) -> GivenUp:
        dispatches, busy = [], []
        for pointer in dict.fromkeys(pointers):
            row = self.rows.deliveries.get(pointer.delivery)
            if row is None or row.seq != pointer.seq:
                continue
            if row.begun_at is not None:
                busy.append(pointer)
            elif row.status in (_S.QUEUED, _S.SENDING):
                dispatches += self._give_up(row, storable(reason) or "failed")
        return GivenUp(self._write(dispatches), busy)

    async def replay(self, letters: Sequence[Pointer], actor: str) -> Reopened:
        dispatches = []
        for letter in self._open(letters):
            row = self.rows.deliveries[letter.delivery_id]
            if self.rows.notifications[row.notification_id].cancelled_at is not None:
                self._close(letter, None, "discarded", "cancelled")
            elif row.seq == letter.seq and row.status is _S.FAILED:
                self._close(letter, actor, "replayed")
                dispatches.append(reissue(self.rows, row, reason="replayed", actor=actor))
        return Reopened([dispatch.pointer.delivery for dispatch in dispatches], self._write(dispatches))

    async def discard(self, letters: Sequence[Pointer], actor: str, note: str) -> list[UUID]:
        found = list(self._open(letters))
        for letter in found:
            self._close(letter, actor, "discarded", storable(note))
        return [letter.delivery_id for letter in found]

    def _open(self, letters: Sequence[Pointer]) -> Iterator[DeadLetterRow]:
        for pointer in dict.fromkeys(letters):
            letter = self.rows.dead_letters.get((pointer.delivery, pointer.seq))
            if letter is not None and letter.closed_at is None:
                yield letter

    def _close(
        self, letter: DeadLetterRow, actor: str | None, resolution: str, note: str | None = None
    ) -> None:
        letter.closed_at, letter.closed_by = self.rows.clock.now(), actor
        letter.resolution, letter.note = resolution, note

    def _give_up(self, row: DeliveryRow, reason: str) -> list[Dispatch]:
        row.status, row.reason, row.updated_at = _S.FAILED, reason, self.rows.clock.now()
        row.seq, row.attempt, row.strikes = row.seq + 1, row.attempt + 1, 0
        row.not_before, row.lease_until = None, None
        self.rows.record(row, _S.FAILED, reason)
        self.rows.resolve(row.id, "failed")
        count(self.rows, row.notification_id, _S.QUEUED, _S.FAILED)
        if taking_over := follow(self.rows, row):
            return taking_over
        dead_letter_row(self.rows, row)
        return [dead_letter(Pointer(row.id, row.seq), self.rows.lane(row))]

    def _write(self, dispatches: Sequence[Dispatch]) -> list[OutboxMessage]:
        made = messages(dispatches, self.ids)
        outbox.write(self.rows, self.process, made)
        return made


def dead_letter_row(rows: MemoryRows, row: DeliveryRow) -> None:
    """Write the dead letter of a delivery that has just failed."""
    notification = rows.notifications[row.notification_id]
    reason = row.reason or "failed"
    rows.dead_letters[row.id, row.seq] = DeadLetterRow(
        delivery_id=row.id,
        seq=row.seq,
        notification_id=row.notification_id,
        mode=notification.mode,
        type=notification.type,
        channel=row.channel,
        priority=row.priority,
        provider=row.provider,
        reason=reason,
        fingerprint=fingerprint(row.channel, row.provider, cause(reason)),
        attempts=row.attempts_counted,
        created_at=row.updated_at,
    )


def note_unknown(rows: MemoryRows, row: DeliveryRow, reason: str) -> None:
    """Write down that the attempt of a delivery's present lease has no answer."""
    rows.unknown[row.id, row.attempt] = UnknownRow(
        delivery_id=row.id,
        attempt=row.attempt,
        notification_id=row.notification_id,
        channel=row.channel,
        provider=row.provider,
        reason=reason,
        created_at=rows.clock.now(),
    )


def reissue(rows: MemoryRows, row: DeliveryRow, *, reason: str, actor: str) -> Dispatch:
    """Begin a new epoch: retries and deadline count anew."""
    now, old = rows.clock.now(), row.status
    row.status, row.updated_at, row.epoch_at = advance(old, _S.QUEUED), now, now
    row.reason, row.not_before, row.held_at = None, None, None
    row.seq, row.epoch, row.attempts_counted, row.strikes = row.seq + 1, row.epoch + 1, 0, 0
    rows.record(row, _S.QUEUED, reason, actor)
    count(rows, row.notification_id, old, _S.QUEUED)
    return requeued(Pointer(row.id, row.seq), rows.lane(row), due=None, outcome=None)
