"""Bugs to be switched on, each of which the simulation must find: `with planted("unfenced settle"): …`.

Each is a mistake that somebody could make in earnest, at one place of the product.
"""

import dataclasses
import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from unittest.mock import patch

import msgspec

import tests.support.memory.deliveries as memory_deliveries
from adapters.system import StoreClock
from application.broker.ports import Outgoing
from application.delivery import begin as beginning
from application.delivery import call as calling
from application.delivery import settlement
from application.delivery.begin import BeginDeliveries
from application.delivery.clear import ClearAgain
from application.delivery.keep import KeepLeases
from application.delivery.reissue import ReissuePointers
from application.notification.group_commit import GroupCommit
from application.notification.ports import Created, NewNotification
from application.outbox import relay as relaying
from application.outbox.pointers import Pointer
from application.outbox.reissue_overdue import OverdueReissued, ReissueOverdue
from application.outbox.relay import RelayOutbox
from application.provider.states import ProviderStates
from application.recovery.recover import RecoverBroker
from domain.delivery.decide import FailOver, decide
from domain.delivery.delivery import DeliveryStatus
from domain.delivery.policy import OnUnknown
from domain.kernel.errors import KeyUnavailable
from domain.provider.health import Health
from domain.provider.outcome import AccountFault, Refused, Unknown
from entrypoints.amqp.intake import IntakeBatches
from entrypoints.amqp.shop_events import EventBatches
from entrypoints.engine.lane import chunk
from entrypoints.engine.lane.capacity import acquire_grant
from entrypoints.engine.lane.chunk import Chunks
from entrypoints.engine.lane.settler import Settler
from entrypoints.engine.relay.actor import RelayActor
from tests.simulation import world
from tests.simulation.faults import Faults
from tests.support.memory.acceptance import MemoryAcceptance
from tests.support.memory.dead_letter_reader import MemoryDeadLetterReader
from tests.support.memory.deliveries import MemoryDeliveries
from tests.support.memory.outbox import MemoryOutbox

_S = DeliveryStatus
Patch = Any


def _around(owner: Any, name: str, make: Callable[[Any], Any]) -> Patch:
    """Replace a method by what `make` makes of it."""
    return patch.object(owner, name, make(getattr(owner, name)))


def _leased_with(**changes: Any) -> Patch:
    def make(leased: Any) -> Any:
        return lambda self, row, lost: msgspec.structs.replace(leased(self, row, lost), **changes)

    return _around(MemoryDeliveries, "_leased", make)


def _unfenced_settle() -> Patch:
    def ours(row: Any, given: Any) -> bool:
        return row.status is _S.SENDING and (row.begun_at is None) == (given.outcome is None)

    return patch.object(memory_deliveries, "_still_ours", ours)


def _stale_pointer_replays() -> Patch:
    def make(lease: Any) -> Any:
        async def bug(self: Any, pointers: Sequence[Pointer], **more: Any) -> Any:
            rows = [self.rows.deliveries.get(pointer.delivery) for pointer in pointers]
            newest = [
                Pointer(row.id, row.seq) if row is not None and row.status is _S.FAILED else pointer
                for row, pointer in zip(rows, pointers, strict=True)
            ]
            return await lease(self, newest, **more)

        return bug

    return _around(MemoryDeliveries, "lease", make)


def _without_a_key_erased() -> Patch:
    def make(opens: Any) -> Any:
        def bug(leased: Any, vault: Any) -> Any:
            try:
                return opens(leased, vault)
            except KeyUnavailable:
                return opens(msgspec.structs.replace(leased, data_key=None), vault)

        return bug

    return _around(beginning, "open_leased", make)


def _ack_before_settle() -> Patch:
    def make(call: Any) -> Any:
        async def bug(self: Any, unacked: Any, called: Any, items: Any, *more: Any) -> None:
            unacked.finish(message for _, message in items)
            await call(self, unacked, called, items, *more)

        return bug

    return _around(Chunks, "_call", make)


def _relay_deletes_before_confirm() -> Patch:
    def make(relay: Any) -> Any:
        async def bug(self: Any, messages: Any) -> Any:
            await self.outbox.delete([message.id for message in messages])
            return await relay(self, messages)

        return bug

    return _around(RelayOutbox, "__call__", make)


@contextmanager
def _unmended(bug: Patch) -> Iterator[None]:
    """Who looks for what is overdue would mend what it has lost; so he does not, and nobody purges a lane."""
    nothing = OverdueReissued(late=0, issued={}, more=False)
    with _never(ReissueOverdue, "__call__", nothing), patch.object(Faults, "_purge", lambda _: None), bug:
        yield


def _no_look_at_the_clearance() -> Patch:
    return patch.object(calling, "CLEARANCE_MAX", timedelta(hours=1))


def _failures_are_not_counted() -> Patch:
    def make(count: Any) -> Any:
        return lambda rows, id_, old, new: None if new is _S.FAILED else count(rows, id_, old, new)

    return _around(memory_deliveries, "count", make)


def _follows(status: DeliveryStatus, taken_for: DeliveryStatus) -> Patch:
    """A delivery that ends its lease so is taken for one that ended otherwise, by what stands behind it."""

    def make(follow: Any) -> Any:
        def bug(rows: Any, ended: Any) -> Any:
            if ended.status is not status:
                return follow(rows, ended)
            ended.status = taken_for
            try:
                return follow(rows, ended)
            finally:
                ended.status = status

        return bug

    return _around(memory_deliveries, "follow", make)


def _dead_letter_without_message() -> Patch:
    def make(settle: Any) -> Any:
        def bug(self: Any, row: Any, given: Any, becomes: Any) -> Any:
            trips = settle(self, row, given, becomes)
            return [] if becomes is _S.FAILED else trips

        return bug

    return _around(MemoryDeliveries, "_settle", make)


def _silence_is_taken_for_a_refusal() -> Patch:
    return patch.dict(settlement._TAGS, {Unknown: "deferred"})


def _our_fault_is_the_recipients() -> Patch:
    def make(heard: Any) -> Any:
        def bug(self: Any, provider: str, outcome: Any, **more: Any) -> Any:
            meant = heard(self, provider, outcome, **more)
            return Refused(meant.reason) if isinstance(meant, AccountFault) else meant

        return bug

    return _around(ProviderStates, "record", make)


def _decided_with(progress: dict[str, Any], policy: dict[str, Any]) -> Patch:
    def bug(how_far: Any, outcome: Any, patience: Any, **more: Any) -> Any:
        changed = msgspec.structs.replace(how_far, **progress)
        return decide(changed, outcome, msgspec.structs.replace(patience, **policy), **more)

    return patch.object(calling, "decide", bug)


def _fails_over_after_silence() -> Patch:
    def bug(how_far: Any, outcome: Any, policy: Any, *, others: bool = False, **more: Any) -> Any:
        if isinstance(outcome, Unknown) and others:
            return FailOver(outcome.reason)
        return decide(how_far, outcome, policy, others=others, **more)

    return patch.object(calling, "decide", bug)


def _lost_call_in_silence() -> Patch:
    def make(take: Any) -> Any:
        def bug(self: Any, row: Any, now: Any, lease: Any) -> Any:
            if row.begun_at is not None:
                self.rows.attempts[row.id][row.attempt].outcome = "not_called"
                row.begun_at = None
            return take(self, row, now, lease)

        return bug

    return _around(MemoryDeliveries, "_take", make)


@contextmanager
def _who_cannot_open_it_forgets_the_lost_call() -> Iterator[None]:
    """By chance few lack the key when the lease of a lost call ends; here whoever takes it over does."""

    def make(open_: Any) -> Any:
        def lacks_the_key(leased: Any, vault: Any) -> Any:
            if leased.interrupted:
                raise KeyUnavailable("not the key")
            return open_(leased, vault)

        return lacks_the_key

    with (
        _around(beginning, "open_leased", make),
        patch.object(BeginDeliveries, "_unanswered", lambda *_: None),
    ):
        yield


def _running_leases_are_taken() -> Patch:
    def make(lease: Any) -> Any:
        async def bug(self: Any, pointers: Sequence[Pointer], **more: Any) -> Any:
            for pointer in pointers:
                row = self.rows.deliveries.get(pointer.delivery)
                if row is not None and row.status is _S.SENDING:
                    row.lease_until = self.rows.clock.now()
            return await lease(self, pointers, **more)

        return bug

    return _around(MemoryDeliveries, "lease", make)


def _whose_time_has_not_come_is_dropped() -> Patch:
    def make(lease: Any) -> Any:
        async def bug(self: Any, pointers: Sequence[Pointer], **more: Any) -> Any:
            return msgspec.structs.replace(await lease(self, pointers, **more), later=[])

        return bug

    return _around(MemoryDeliveries, "lease", make)


def _never(owner: Any, name: str, answer: Any) -> Patch:
    async def bug(*_: Any, **__: Any) -> Any:
        return answer

    return patch.object(owner, name, bug)


def _every_key_is_new() -> Patch:
    return patch.object(MemoryAcceptance, "_result", lambda self, n: Created(n.id))


def _answer_before_commit() -> Patch:
    def make(commit: Any) -> Any:
        async def bug(self: Any, batch: Any) -> None:
            for waiting in batch:
                self._answer(waiting, Created(waiting.prepared.id))
            await commit(self, batch)

        return bug

    return _around(GroupCommit, "_commit", make)


def _ack_first(owner: Any) -> Patch:
    def make(work: Any) -> Any:
        async def bug(self: Any, queue: str, subscription: Any, messages: Any) -> Any:
            await subscription.ack([message.tag for message in messages])
            return await work(self, queue, subscription, messages)

        return bug

    return _around(owner, "work", make)


@contextmanager
def _all_is_begun_at_once(cleared: Callable[[Any, Any], Any]) -> Iterator[None]:
    """Nobody asks whether the provider has room; `cleared` is what follows when the clearance is too old."""

    async def bug(self: Any, call: Any) -> Any:
        return cleared(self, call)

    with patch.object(chunk, "acquire_grant", _grant_anything), patch.object(ClearAgain, "__call__", bug):
        yield


async def _grant_anything(in_work: Any, capacity: Any, lane: Any, wanted: int) -> Any:
    return await acquire_grant(in_work, None, lane, wanted)


def _crashing_settler() -> Patch:
    def make(run: Any) -> Any:
        async def bug(self: Any) -> None:
            await run(self)
            raise KeyError("nobody awaits this")

        return bug

    return _around(Settler, "_run", make)


@contextmanager
def _due_by_the_machines_clock() -> Iterator[None]:
    def outgoing(message: Any, now: datetime) -> Outgoing:
        wait = message.due - now if message.due is not None and message.due > now else None
        return Outgoing(
            id=message.id, queue=message.queue, body=message.body, headers=message.headers, delay=wait
        )

    def make(relay: Any) -> Any:
        async def bug(self: Any, messages: Any) -> Any:
            return await relay(dataclasses.replace(self, clock=self.clock._machine), messages)

        return bug

    with patch.object(relaying, "_outgoing", outgoing), _around(RelayOutbox, "__call__", make):
        yield


def _decided_by_the_machines_clock() -> Patch:
    def make(decide_: Any) -> Any:
        def bug(self: Any, leases: Any, *more: Any) -> Any:
            return decide_(self, msgspec.structs.replace(leases, facts_at=self.clock._machine.now()), *more)

        return bug

    return _around(BeginDeliveries, "_decide", make)


@contextmanager
def _accepted_by_the_machines_clock() -> Iterator[None]:
    def deaf(clock: Any, _at: datetime, _asked: float) -> None:
        clock._ahead = clock._machine.now().timestamp() - clock._machine.monotonic()

    with (
        patch.object(StoreClock, "heard", deaf),
        patch.object(NewNotification, "accepted_at", lambda new, _: new.created_at),
    ):
        yield


BUGS: dict[str, Callable[[], Patch]] = {
    "what is due is judged by another clock": _due_by_the_machines_clock,
    "the gate goes by the machine's clock": _decided_by_the_machines_clock,
    "accepted by the machine's clock": _accepted_by_the_machines_clock,
    "a task that crashes unheard": _crashing_settler,
    "unfenced settle": _unfenced_settle,
    "stale pointer taken for a replay": _stale_pointer_replays,
    "running leases are taken": _running_leases_are_taken,
    "leases of long calls are not renewed": lambda: _never(KeepLeases, "__call__", None),
    "ack before settle": _ack_before_settle,
    "relay deletes before confirm": lambda: _unmended(_relay_deletes_before_confirm()),
    "the outbox of the dead is not adopted": lambda: _never(MemoryOutbox, "adopt", 0),
    "a frozen process keeps its outbox": lambda: patch.object(world, "SILENCE", math.inf),
    "who publishes nothing keeps its outbox": lambda: patch.object(RelayActor, "able", True),
    "nobody looks for what is overdue": lambda: _never(
        ReissueOverdue, "__call__", OverdueReissued(late=0, issued={}, more=False)
    ),
    "who cannot open it forgets the lost call": _who_cannot_open_it_forgets_the_lost_call,
    "no look at the clearance": _no_look_at_the_clearance,
    "waiting is an attempt": lambda: _all_is_begun_at_once(lambda self, call: call.begun),
    "cleared again without a look": lambda: _all_is_begun_at_once(lambda self, call: self.clock.monotonic()),
    "no look at the cancel": lambda: _leased_with(cancelled=False),
    "without a key, erased": _without_a_key_erased,
    "no look at the opt-out": lambda: _leased_with(suppressed=None),
    "failures are not counted": _failures_are_not_counted,
    "an unknown outcome gives the next channel its turn": lambda: _follows(_S.UNKNOWN, _S.FAILED),
    "what was sent gives the next channel its turn": lambda: _follows(_S.SENT, _S.FAILED),
    "what was sent leaves the others standing by": lambda: _follows(_S.SENT, _S.UNKNOWN),
    "dead letter without message": _dead_letter_without_message,
    "compacting takes what is needed": lambda: _never(MemoryDeadLetterReader, "needed", frozenset()),
    "silence is taken for a refusal": _silence_is_taken_for_a_refusal,
    "what is to be held is sent again": lambda: _decided_with({}, {"on_unknown": OnUnknown.RESEND}),
    "failing over after an unknown outcome": _fails_over_after_silence,
    "given up before its patience ends": lambda: _decided_with({}, {"patience": timedelta()}),
    "attempts are not counted": lambda: _decided_with({"attempts_counted": 1}, {}),
    "our fault is taken for the recipient's": _our_fault_is_the_recipients,
    "a resting provider is never probed": lambda: patch.object(
        Health, "accepts_probe", lambda health, _: health.fault is None
    ),
    "a lost call in silence": _lost_call_in_silence,
    "whose time has not come is dropped": lambda: _unmended(_whose_time_has_not_come_is_dropped()),
    "issued anew and dropped": lambda: _unmended(_never(ReissuePointers, "__call__", None)),
    "a wiped broker goes unnoticed": lambda: _never(RecoverBroker, "_intact", True),
    "every key is new": _every_key_is_new,
    "answer before commit": _answer_before_commit,
    "promise acked before it is kept": lambda: _ack_first(IntakeBatches),
    "event acked before it is handled": lambda: _ack_first(EventBatches),
}


@contextmanager
def planted(bug: str) -> Iterator[None]:
    """Switch one on."""
    with BUGS[bug]():
        yield
