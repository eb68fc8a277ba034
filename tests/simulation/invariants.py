"""What must hold: at the moment of every call, and once everything has come to rest.

The provider's ledger is the truth of what was sent; the rows are what Posthorn believes.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING
from uuid import UUID

from application.delivery.ports import BROKER_UI
from application.outbox.pointers import Pointer
from application.provider.ports import OutboundMessage
from domain.delivery.delivery import NEXT, OPEN, SUCCEEDED, DeliveryStatus
from domain.delivery.policy import OnUnknown, RetryPolicy
from domain.kernel.channel import Lane
from domain.notification.rollup import Counts, count, rollup
from tests.simulation.policies import CALL_MAX, POLICIES
from tests.simulation.provider import LOGIN_REFUSED, Line, reference
from tests.simulation.turns import behind_a_held_one, handed_over, out_of_turn, policy_of, sent_on_two
from tests.support.memory.rows import AttemptRow, DeliveryRow
from tests.support.virtual_time import EPOCH

if TYPE_CHECKING:
    from tests.simulation.shop import Shop
    from tests.simulation.world import World

_S = DeliveryStatus
LOST = "worker lost"
CLEARANCE_MAX = timedelta(seconds=1, milliseconds=1)
CHANGED = ("not clear any more",)
"""Why a call may be left out: somebody called off, opted out or paused meanwhile."""
SILENT_MIN = timedelta(seconds=CALL_MAX + 1)
"""From a call without an answer to its retry: its time-out, and the shortest wait.  Who fails over does not
wait."""
SLACK = timedelta(seconds=1)
ROUNDS_MAX = 60
"""Messages that bring one pointer to its lane: postponed, taken apart, issued anew."""
IN_FLIGHT = (-30.0, 60.0)
"""Seconds from the beginning of an unknown call within which something must have gone wrong."""


def call_begins(world: "World", message: OutboundMessage) -> None:
    """Whether this call may be made now: at the moment at which it leaves its process."""
    for fault in _wrong_with_call(world, message):
        world.wrong(f"delivery {message.delivery}: attempt {message.attempt} called {fault}")


def _wrong_with_call(world: "World", message: OutboundMessage) -> Iterator[str]:
    now = world.clock.now()
    row = world.rows.deliveries.get(message.delivery)
    attempt = world.rows.attempts.get(message.delivery, {}).get(message.attempt)
    if row is None or attempt is None:
        yield "without having been committed"
        return
    if row.status is not _S.SENDING or row.attempt != message.attempt or row.begun_at is None:
        yield f"while the delivery is {row.status} at attempt {row.attempt}"
    if row.lease_until is not None and row.lease_until < now:
        yield "after its lease has ended"
    if now - attempt.cleared_at > CLEARANCE_MAX:
        yield f"{now - attempt.cleared_at} after its clearance"
    notification = world.rows.notifications[row.notification_id]
    if notification.cancelled_at is not None and notification.cancelled_at < attempt.cleared_at:
        yield "after its notification was cancelled"
    user = world.rows.users[row.user_id]
    index = user.email_index if row.channel == "email" else user.phone_index
    out = world.opted_out.get((row.channel, index or b""))
    if out is not None and out < attempt.cleared_at:
        yield "after its recipient opted out"
    yield from out_of_turn(world, row)
    began = row.epoch_at or notification.created_at
    if attempt.cleared_at > began + policy_of(world, row).lifetime:
        yield "after its deadline"


def violations(world: "World", shop: "Shop") -> list[str]:
    """Everything that is not as it must be, now that nothing moves any more."""
    lines: dict[UUID, list[Line]] = defaultdict(list)
    for line in world.provider.lines:
        lines[line.delivery].append(line)
    found = [*world.violations, *_lost(world, shop), *_counted(world), *_dead_letters(world)]
    found += [*_in_time(world, shop), *_round_and_round(world), *sent_on_two(world, lines)]
    for row in world.rows.deliveries.values():
        faults = [
            *_rests(world, row),
            *_history(world, row),
            *_attempts(world, row, lines[row.id]),
            *_repeated(world, row, lines[row.id]),
            *_after_silence(world, row),
            *_too_often(world, row, lines[row.id]),
            *_too_soon(world, row),
            *_before_its_deadline(world, row),
        ]
        found += [f"delivery {row.id}: {fault}" for fault in faults]
    if world.rows.outbox:
        found.append(f"{len(world.rows.outbox)} messages are left in the outbox")
    return found


def _lost(world: "World", shop: "Shop") -> Iterator[str]:
    """Who was told that it is accepted finds it, whole."""
    rows = world.rows
    made = Counter(row.notification_id for row in rows.deliveries.values())
    for id_, asked in shop.accepted.items():
        meant = rows.aliases.get(id_, id_)
        row = rows.notifications.get(meant)
        if row is None:
            if id_ not in shop.forgiven:
                yield f"notification {id_}: answered as accepted, and lost"
        elif row.reason is not None:
            if not asked.disputed:
                yield f"notification {id_}: failed: {row.reason}"
        elif made[meant] != asked.deliveries and not asked.disputed:
            yield f"notification {id_}: has {made[meant]} of {asked.deliveries} deliveries"
    winners: dict[str, set[UUID]] = defaultdict(set)
    for id_, asked in shop.accepted.items():
        meant = rows.aliases.get(id_, id_)
        if asked.key is not None and meant in rows.notifications and not rows.notifications[meant].reason:
            winners[asked.key].add(meant)
    yield from (f"key {key}: {len(ids)} notifications" for key, ids in winners.items() if len(ids) > 1)
    counted = Counter(str(row.metadata.get("order")) for row in rows.notifications.values())
    for order in shop.published:
        if counted[order] > 1 or (not counted[order] and order not in shop.forgiven_orders):
            yield f"event of order {order}: {counted[order]} notifications"


def _rests(world: "World", row: DeliveryRow) -> Iterator[str]:
    policy = POLICIES[world.rows.notifications[row.notification_id].klass]
    if row.status in OPEN and not (row.status is _S.STANDBY and behind_a_held_one(world, row)):
        yield f"still {row.status}"
    if row.status is _S.SUPPRESSED and row.reason == "erased":
        yield "is taken for that of an erased user, and nobody was erased"
    if row.status is _S.UNKNOWN and (row.held_at is None or policy.on_unknown is not OnUnknown.HOLD):
        yield "rests as unknown, and nobody asked for that"


def _history(world: "World", row: DeliveryRow) -> Iterator[str]:
    """Its history is legal, and ends where it stands."""
    walk = [step.status for step in world.rows.history[row.id]]
    for before, after in pairwise(walk):
        if after not in NEXT[before]:
            yield f"its history goes from {before} to {after}"
    if walk[-1] is not row.status:
        yield f"is {row.status}, and its history ends at {walk[-1]}"


def _attempts(world: "World", row: DeliveryRow, lines: list[Line]) -> Iterator[str]:
    """Every call is remembered as it ended, and what nobody knows has its reason."""
    attempts = world.rows.attempts.get(row.id, {})
    called = {line.attempt: line for line in lines}
    if len(called) < len(lines):
        yield "an attempt was called twice"
    for number, attempt in attempts.items():
        line = called.get(number)
        if line is not None and line.provider != attempt.provider:
            yield f"attempt {number} stands as one of {attempt.provider}, and {line.provider} was called"
        if attempt.outcome == "open":
            yield f"attempt {number} is open for ever"
        elif attempt.outcome in ("accepted", "refused") and (line is None or line.said != attempt.outcome):
            yield f"attempt {number} stands as {attempt.outcome}, the provider says {line and line.said}"
        elif attempt.outcome in ("deferred", "not_called", "account_fault") and line and line.taken:
            yield f"attempt {number} stands as {attempt.outcome}, and the provider took it"
        elif attempt.reference not in (None, reference(row.id, number)):
            yield f"attempt {number} bears the reference {attempt.reference}"
        elif attempt.outcome == "unknown":
            yield from _unknown(world, row, attempt, line)
        elif attempt.outcome == "not_called" and not (
            (attempt.reason or "").removeprefix("gave up: ") in CHANGED or _hindered(world, attempt)
        ):
            yield f"attempt {number} was begun and not called ({attempt.reason}): it only had to wait"
    if row.status in SUCCEEDED and not any(line.taken for line in lines) and not _resolved(world, row):
        yield f"stands as {row.status}, and the provider never took it"


def _resolved(world: "World", row: DeliveryRow) -> bool:
    """Somebody said that it was sent."""
    return any(
        unknown.resolution == "sent" for (id_, _), unknown in world.rows.unknown.items() if id_ == row.id
    )


def _unknown(world: "World", row: DeliveryRow, attempt: AttemptRow, line: Line | None) -> Iterator[str]:
    number = attempt.attempt
    if (row.id, number) not in world.rows.unknown:
        yield f"attempt {number} is unknown, and not among the unknown attempts"
    if line is not None and line.said is None:
        return
    if not _hindered(world, attempt):
        yield f"attempt {number} is unknown, and nothing happened to its worker"


def _hindered(world: "World", attempt: AttemptRow) -> bool:
    """Something happened to its worker at that time."""
    begun = _seconds(attempt.begun_at)
    [worker] = [process for process in world.processes if process.id == attempt.worker]
    died = worker.died < begun + IN_FLIGHT[1]
    # Who can write renews its lease: a broker that is away makes nobody lose one.
    troubles = worker.troubles + ([] if attempt.reason == LOST else worker.cuts)
    return died or any(IN_FLIGHT[0] < at - begun < IN_FLIGHT[1] for at in troubles)


def _repeated(world: "World", row: DeliveryRow, lines: list[Line]) -> Iterator[str]:
    """Sent twice only where everybody can see it; what is held, never by itself."""
    attempts = world.rows.attempts.get(row.id, {})
    taken = sorted(line.attempt for line in lines if line.taken)
    for number in taken[:-1]:
        if attempts[number].outcome != "unknown":
            yield f"sent twice in silence: attempt {number} stands as {attempts[number].outcome}"
    policy = POLICIES[world.rows.notifications[row.notification_id].klass]
    if policy.on_unknown is OnUnknown.HOLD:
        for epoch, count_ in Counter(line.epoch for line in lines if line.taken).items():
            if count_ > 1:
                yield f"must be held, and was sent {count_} times in epoch {epoch}"


def _after_silence(world: "World", row: DeliveryRow) -> Iterator[str]:
    """What may have been sent goes to another provider at once only if its class says so."""
    policy = POLICIES[world.rows.notifications[row.notification_id].klass]
    if policy.on_unknown is OnUnknown.FAIL_OVER:
        return
    attempts = sorted(world.rows.attempts.get(row.id, {}).values(), key=lambda each: each.attempt)
    for before, after in pairwise(attempts):
        silent = before.outcome == "unknown" and before.reason != LOST
        if silent and before.provider != after.provider and after.begun_at - before.begun_at < SILENT_MIN:
            yield f"attempt {after.attempt} fails over after an unknown outcome"


def _too_often(world: "World", row: DeliveryRow, lines: list[Line]) -> Iterator[str]:
    """Attempts that count are at most those of the policy; each is a round of all providers."""
    policy = POLICIES[world.rows.notifications[row.notification_id].klass]
    for epoch, calls in Counter(line.epoch for line in lines if line.counts).items():
        if calls > attempts_max(policy) * len(world.providers):
            yield f"called {calls} times in epoch {epoch}"


def _too_soon(world: "World", row: DeliveryRow) -> Iterator[str]:
    """What is given up has had all its attempts, or no time for another; and nobody dies of our password."""
    dead_letter = world.rows.dead_letters.get((row.id, row.seq))
    if dead_letter is not None and LOGIN_REFUSED in dead_letter.reason:
        yield f"is a dead letter for our sake: {dead_letter.reason}"
    if dead_letter is None or not dead_letter.reason.startswith("gave up"):
        return
    notification = world.rows.notifications[row.notification_id]
    policy = POLICIES[notification.klass]
    deadline = (row.epoch_at or notification.created_at) + policy.lifetime
    if dead_letter.attempts < attempts_max(policy) and dead_letter.created_at + policy.delay_max < deadline:
        yield f"given up after {dead_letter.attempts} of {attempts_max(policy)} attempts"


def _before_its_deadline(world: "World", row: DeliveryRow) -> Iterator[str]:
    """Given up for its deadline, by whatever clock: not before it has come."""
    notification = world.rows.notifications[row.notification_id]
    deadline = notification.created_at + POLICIES[notification.klass].lifetime
    for (id_, seq), dead_letter in world.rows.dead_letters.items():
        if id_ == row.id and dead_letter.reason == "deadline passed" and dead_letter.created_at < deadline:
            early = deadline - dead_letter.created_at
            yield f"its dead letter {seq} says that the deadline passed, {early} early"


def _in_time(world: "World", shop: "Shop") -> Iterator[str]:
    """Accepted between the question and the commit: deadlines begin there."""
    for id_, asked in shop.accepted.items():
        row = world.rows.notifications.get(id_)
        if row is None or asked.disputed or row.reason is not None:
            continue
        [first, *_] = [world.rows.history[d.id][0].at for d in world.rows.deliveries_of(id_)] or [None]
        if first is not None and not asked.since - SLACK <= row.created_at <= first:
            yield f"notification {id_}: asked for at {asked.since}, accepted at {row.created_at}"


def _round_and_round(world: "World") -> Iterator[str]:
    for pointer, messages in world.rounds.items():
        if len(messages) > ROUNDS_MAX:
            yield f"delivery {pointer.delivery}: {len(messages)} messages for its pointer {pointer.seq}"


def attempts_max(policy: RetryPolicy) -> int:
    """One, the retries, and the slow retries that patience allows."""
    return 1 + policy.retries + int(policy.patience / policy.delay_max)


def _counted(world: "World") -> Iterator[str]:
    """Counters equal counts, and the status follows from them."""
    of: dict[UUID, list[DeliveryStatus]] = defaultdict(list)
    for delivery in world.rows.deliveries.values():
        of[delivery.notification_id].append(delivery.status)
    for row in world.rows.notifications.values():
        if row.reason is not None:
            continue
        counts, stands = count(of[row.id]), Counts(**row.counts)
        if counts != stands:
            yield f"notification {row.id}: counts {stands}, and there are {counts}"
        follows = rollup(stands, expanded=row.expanded, cancelled=row.cancelled_at is not None)
        if row.status is not follows:
            yield f"notification {row.id}: is {row.status}, and its counts say {follows}"


def _dead_letters(world: "World") -> Iterator[str]:
    """A dead letter is a row and a message, and a failed delivery has one."""
    there = {lane.dead: set(world.pointers(lane.dead)) for lane in world.lanes}
    for (id_, seq), dead_letter in world.rows.dead_letters.items():
        dead = Lane(dead_letter.channel, dead_letter.priority).dead
        if dead_letter.closed_at is None and Pointer(id_, seq) not in there[dead] | world.purged:
            yield f"delivery {id_}: its dead letter {seq} has no message"
        if dead_letter.closed_by == BROKER_UI and Pointer(id_, seq) not in world.moved:
            yield f"delivery {id_}: its dead letter {seq} was moved by nobody, and replayed"
    for row in world.rows.deliveries.values():
        if row.status is _S.FAILED and not handed_over(world, row):
            own = world.rows.dead_letters.get((row.id, row.seq))
            if own is None or own.resolution not in (None, "discarded"):
                yield f"delivery {row.id}: failed without a dead letter"


def _seconds(at: datetime) -> float:
    return (at - EPOCH).total_seconds()
