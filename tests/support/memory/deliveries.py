"""The delivery engine's rows, in memory."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from application.delivery.ports import (
    BROKER_UI,
    STRIKES_FREE,
    Begin,
    Leased,
    Leases,
    NotDueYet,
    Settled,
    Settlement,
    StruckDelivery,
)
from application.kernel.ports import Ids
from application.outbox.dispatch import Dispatch, dead_letter, delayed, messages, requeued
from application.outbox.pointers import Pointer
from application.outbox.ports import OutboxMessage
from domain.delivery.delivery import DeliveryStatus, advance
from domain.delivery.ending import NO_ANSWER, ending
from domain.kernel.channel import Lane
from domain.kernel.text import storable
from tests.support.memory import outbox
from tests.support.memory.counters import count
from tests.support.memory.dead_letters import MemoryDeadLetters, dead_letter_row, note_unknown
from tests.support.memory.device_results import leased_devices, write_results
from tests.support.memory.next_channel import follow
from tests.support.memory.rows import AttemptRow, DeliveryRow, MemoryRows

_S = DeliveryStatus
_LOST = "worker lost"
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryDeliveries:
    """Implements `Deliveries`.

    Args:
        process: stands with its attempts and owns the outbox rows.
    """

    rows: MemoryRows
    process: UUID
    ids: Ids

    async def lease(
        self, pointers: Sequence[Pointer], *, lease: timedelta, strikes_max: int = STRIKES_FREE
    ) -> Leases:
        now = self.rows.clock.now()
        taken: list[Leased] = []
        later: list[NotDueYet] = []
        struck: list[StruckDelivery] = []
        failed: list[Pointer] = []
        for pointer in dict.fromkeys(pointers):
            row = self.rows.deliveries.get(pointer.delivery)
            if row is None or row.seq != pointer.seq or row.status not in (_S.QUEUED, _S.SENDING, _S.FAILED):
                continue
            if row.status is _S.FAILED:
                failed.append(pointer)
                continue
            free_at = row.not_before if row.status is _S.QUEUED else row.lease_until
            if free_at is not None and free_at > now:
                later.append(NotDueYet(pointer, free_at - now))
            elif row.status is _S.SENDING and row.strikes >= strikes_max:
                struck.append(StruckDelivery(pointer, row.strikes + 1))
            else:
                taken.append(self._take(row, now, lease))
        dead = MemoryDeadLetters(rows=self.rows, process=self.process, ids=self.ids)
        reopened = await dead.replay(failed, BROKER_UI)
        return Leases(
            taken=taken,
            later=later,
            struck=struck,
            replayed=len(reopened.deliveries),
            messages=reopened.messages,
            facts_at=now,
        )

    async def begin(self, attempts: Sequence[Begin], *, cleared_at: datetime) -> frozenset[UUID]:
        now = self.rows.clock.now()
        return frozenset(begin.delivery for begin in attempts if self._begin(begin, cleared_at, now))

    async def settle(self, settlements: Sequence[Settlement]) -> Settled:
        becoming = [advance(_S.SENDING, settlement.status) for settlement in settlements]
        dispatches: list[Dispatch] = []
        overtaken = []
        for settlement, becomes in zip(settlements, becoming, strict=True):
            row = self.rows.deliveries.get(settlement.delivery)
            if row is None or not _still_ours(row, settlement):
                overtaken.append(settlement.delivery)
            else:
                dispatches += self._settle(row, settlement, becomes)
        return Settled(self._write(dispatches), overtaken)

    async def postpone(self, lane: Lane, pointers: Sequence[NotDueYet]) -> list[OutboxMessage]:
        now = self.rows.clock.now()
        return self._write(delayed(p.pointer, lane, p.wait, now) for p in pointers)

    def _write(self, dispatches: Iterable[Dispatch]) -> list[OutboxMessage]:
        made = messages(dispatches, self.ids)
        outbox.write(self.rows, self.process, made)
        return made

    def _take(self, row: DeliveryRow, now: datetime, lease: timedelta) -> Leased:
        lost = row.begun_at is not None
        earlier = row.status is _S.SENDING and row.reason is not None
        row.updated_at = now
        row.strikes += row.status is _S.SENDING
        if lost:
            row.attempts_counted += 1
            call = self.rows.attempts[row.id][row.attempt]
            call.outcome, call.reason, call.settled_at = "unknown", _LOST, now
            self.rows.record(row, _S.UNKNOWN, _LOST)
            note_unknown(self.rows, row, _LOST)
        row.status, row.attempt, row.lease_until, row.begun_at = (
            _S.SENDING,
            row.attempt + 1,
            now + lease,
            None,
        )
        row.reason = _LOST if lost else f"{_LOST} earlier" if earlier else None
        return self._leased(row, row.provider if lost else None)

    def _leased(self, row: DeliveryRow, lost: str | None) -> Leased:
        notification = self.rows.notifications[row.notification_id]
        user = self.rows.users.get(row.user_id)
        index = user and {"email": user.email_index, "sms": user.phone_index}.get(row.channel)
        configured = self.rows.channels.get(row.channel)
        spoken = next((each for each in notification.routes if each.channel == row.channel), None)
        return Leased(
            id=row.id,
            seq=row.seq,
            attempt=row.attempt,
            attempts_counted=row.attempts_counted,
            strikes=row.strikes,
            interrupted=row.reason is not None,
            lost=lost,
            notification=notification.id,
            user=row.user_id,
            channel=row.channel,
            priority=row.priority,
            klass=notification.klass,
            mode=notification.mode,
            type=notification.type,
            accepted_at=row.epoch_at or notification.created_at,
            cancelled=notification.cancelled_at is not None,
            suppressed=self.rows.suppressions.get((row.channel, index)) if index else None,
            channel_enabled=configured.value.enabled if configured else True,
            channel_paused=configured.value.paused if configured else False,
            providers=configured.value.providers if configured else (),
            addressed_by=configured.value.addressed_by if configured else None,
            failovers=row.failovers,
            turn=(row.rank, len(notification.routes)) if row.rank else None,
            template_id=spoken.template if spoken else notification.template_id,
            template_version=spoken.version if spoken else notification.template_version,
            content=notification.content,
            content_key=row.content_key,
            data_key=user.data_key if user else None,
            profile=user.profile if user else None,
            traceparent=notification.traceparent,
            devices=leased_devices(self.rows, row),
        )

    def _begin(self, begin: Begin, cleared_at: datetime, now: datetime) -> bool:
        row = self.rows.deliveries.get(begin.delivery)
        if row is None or row.attempt != begin.attempt or row.status is not _S.SENDING:
            return False
        if row.begun_at is not None or row.lease_until is None or row.lease_until <= now:
            return False
        row.begun_at, row.provider, row.updated_at = now, begin.provider, now
        self.rows.attempts.setdefault(row.id, {})[row.attempt] = AttemptRow(
            delivery_id=row.id,
            attempt=row.attempt,
            provider=begin.provider,
            worker=self.process,
            cleared_at=cleared_at,
            begun_at=now,
        )
        if row.reason is not None:
            self.rows.record(row, _S.QUEUED)
            if not begin.asks:
                self.rows.resolve(row.id, "resend")
        self.rows.record(row, _S.SENDING)
        return True

    def _settle(self, row: DeliveryRow, given: Settlement, becomes: DeliveryStatus) -> list[Dispatch]:
        now = self.rows.clock.now()
        cancelled = self.rows.notifications[row.notification_id].cancelled_at is not None
        end = ending(becomes, given.outcome, interrupted=row.reason is not None, cancelled=cancelled)
        becomes, reason = end.status, storable(given.reason)
        row.status, row.reason, row.updated_at = becomes, reason, now
        row.seq += becomes in (_S.QUEUED, _S.FAILED)
        row.attempts_counted += given.counts
        row.failovers = row.failovers if given.failovers is None else given.failovers
        row.not_before = given.due if becomes is _S.QUEUED else None
        row.lease_until, row.begun_at, row.strikes = None, None, 0
        row.sent_at = now if becomes is _S.SENT else row.sent_at
        row.held_at = now if becomes is _S.UNKNOWN else None
        for line in end.lines:
            self.rows.record(row, line, reason)
        if given.outcome is not None:
            call = self.rows.attempts[row.id][row.attempt]
            call.outcome, call.reason, call.reference = given.outcome, reason, storable(given.reference)
            call.settled_at = now
            call.latency_ms = None if given.latency is None else given.latency / _MILLISECOND
        if given.resolution is not None:
            self.rows.resolve(row.id, given.resolution)
        if given.outcome == NO_ANSWER:
            note_unknown(self.rows, row, reason or "no answer")
        if end.resolution is not None and not given.stays_open:
            self.rows.resolve(row.id, end.resolution)
        write_results(self.rows, row, given)
        count(self.rows, row.notification_id, _S.SENDING, becomes)
        lane, pointer = self.rows.lane(row), Pointer(row.id, row.seq)
        if becomes is _S.QUEUED:
            return [requeued(pointer, lane, due=given.due, outcome=given.outcome)]
        taking_over = follow(self.rows, row)
        if becomes is _S.FAILED and not taking_over:
            dead_letter_row(self.rows, row)
            return [dead_letter(pointer, lane)]
        return taking_over


def _still_ours(row: DeliveryRow, given: Settlement) -> bool:
    """The lease, and a call was begun or not, as the settlement says."""
    held = row.status is _S.SENDING and row.attempt == given.attempt
    return held and (row.begun_at is None) == (given.outcome is None)
