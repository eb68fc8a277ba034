"""Telling of dead letters, in memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from application.alert.ports import Appeared
from tests.support.memory.dead_letter_reader import order
from tests.support.memory.rows import DeadLetterRow, MemoryRows

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryAlerts:
    """Implements `Alerts`."""

    rows: MemoryRows

    async def claim(self, *, quiet: timedelta, span: timedelta) -> Appeared | None:
        now = self.rows.clock.now()
        groups: dict[tuple[str, str], list[DeadLetterRow]] = {}
        for row in sorted(self._unalerted(), key=order):
            groups.setdefault((row.fingerprint, row.mode), []).append(row)
        recent = {
            (row.fingerprint, row.mode)
            for row in self.rows.dead_letters.values()
            if row.alerted_at is not None and row.alerted_at > now - quiet
        }
        due = [
            letters
            for group, letters in groups.items()
            if group not in recent and (letters[0].alert_after is None or letters[0].alert_after <= now)
        ]
        if not due:
            return None
        chosen = min(due, key=lambda letters: (letters[0].alert_after or _NEVER, letters[0].created_at))
        chosen[0].alert_after = now + span
        return _appeared(chosen)

    async def postpone(self, appeared: Appeared, pause: timedelta) -> None:
        for row in self._unalerted():
            of_group = (row.fingerprint, row.mode) == (appeared.fingerprint, appeared.mode)
            if of_group and row.created_at <= appeared.first_at and row.alert_after is not None:
                row.alert_after = self.rows.clock.now() + pause

    async def record_alerted(self, appeared: Appeared) -> None:
        for row in list(self._unalerted()):
            of_group = (row.fingerprint, row.mode) == (appeared.fingerprint, appeared.mode)
            if of_group and row.created_at <= appeared.last_at:
                row.alerted_at = self.rows.clock.now()

    def _unalerted(self) -> Iterator[DeadLetterRow]:
        return (
            row for row in self.rows.dead_letters.values() if row.closed_at is None and row.alerted_at is None
        )


def _appeared(letters: list[DeadLetterRow]) -> Appeared:
    first, last = letters[0], letters[-1]
    return Appeared(
        fingerprint=first.fingerprint,
        mode=first.mode,
        channel=first.channel,
        provider=first.provider,
        count=len(letters),
        first_at=first.created_at,
        last_at=last.created_at,
    )
