"""Decides what follows one attempt of a delivery.  Pure: time and chance are arguments."""

from datetime import datetime, timedelta
from typing import assert_never

import msgspec

from domain.delivery.policy import OnUnknown, RetryPolicy
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown


class AwaitReceipt(msgspec.Struct, frozen=True):
    """The provider has accepted it: a receipt may follow."""

    reference: str


class RetryAt(msgspec.Struct, frozen=True):
    """Try again, not before `due` (aware UTC)."""

    due: datetime
    reason: str
    counts: bool = True
    """Whether the attempt counts against the class's retries."""


class GiveUp(msgspec.Struct, frozen=True):
    """It has failed for good and becomes a dead letter."""

    reason: str


class Hold(msgspec.Struct, frozen=True):
    """The outcome is unknown and the class must not send twice: it is held until somebody resolves it."""

    reason: str


class FailOver(msgspec.Struct, frozen=True):
    """Another provider of the channel is tried at once; the class's retries count rounds of all providers."""

    reason: str


Decision = AwaitReceipt | RetryAt | GiveUp | Hold | FailOver


class DeliveryProgress(msgspec.Struct, frozen=True):
    """How many attempts a delivery has had, and since when it counts as accepted."""

    accepted_at: datetime
    attempts_counted: int
    """Attempts of this epoch that counted, the present one included."""
    unspent: int = 0
    """Leases without an attempt that counted; each of them makes the next wait longer."""


def decide(
    progress: DeliveryProgress,
    outcome: Outcome,
    policy: RetryPolicy,
    *,
    now: datetime,
    chance: float,
    others: bool = False,
    answerable: bool = False,
    is_open: bool = False,
) -> Decision:
    """Choose what follows the present attempt.

    Args:
        now: aware UTC.
        chance: uniform in [0, 1); spreads retries (full jitter, Brooker 2015).
        others: another provider may be called, which has not failed with this delivery in this round.
        answerable: it can be known later what became of a call without an answer.
        is_open: of a class that reconciles, a call may have sent it, this one or an earlier one: it is not
            given up, but held.

    What a provider has definitely not sent goes to another one; an unknown outcome does only if the class
    says so, and a refused recipient is refused by all.  A provider's Retry-After lengthens the wait, and the
    attempt does not count; the class's deadline bounds both.
    Patience is counted in waits, so time that a delivery spent in its lane before the first attempt does not
    use it up.
    """
    decision = _decide(progress, outcome, policy, now, chance, others=others, answerable=answerable)
    return Hold(decision.reason) if is_open and isinstance(decision, GiveUp) else decision


def _decide(
    progress: DeliveryProgress,
    outcome: Outcome,
    policy: RetryPolicy,
    now: datetime,
    chance: float,
    *,
    others: bool,
    answerable: bool,
) -> Decision:
    match outcome:
        case Accepted(reference):
            return AwaitReceipt(reference)
        case Refused(reason):
            return GiveUp(reason)
        case Unknown(reason) if policy.on_unknown is OnUnknown.HOLD:
            return Hold(reason)
        case Unknown(reason) if policy.on_unknown is OnUnknown.RECONCILE and not answerable:
            return Hold(reason)
        case Unknown(reason) if others and policy.on_unknown is OnUnknown.FAIL_OVER:
            return FailOver(reason)
        case NotCalled(reason):
            return _not_called(progress, reason, policy, now, chance)
        case Deferred(reason, _, True) | AccountFault(reason) if others:
            return FailOver(reason)
        case Deferred(reason, _, False) if progress.attempts_counted > policy.retries:
            return GiveUp(f"gave up: {reason}")
        case AccountFault(reason, certain):
            # When it is uncertain whose fault it is, other messages are tried before this one is repeated.
            return _unspent(progress, reason, timedelta() if certain else policy.delay_max, policy, now)
        case Deferred(reason, retry_after):
            return _later(progress, reason, retry_after, policy, now, chance)
        case Unknown(reason):
            return _later(progress, reason, None, policy, now, chance)
        case _:
            assert_never(outcome)


def _not_called(
    progress: DeliveryProgress, reason: str, policy: RetryPolicy, now: datetime, chance: float
) -> RetryAt | GiveUp:
    """No attempt is counted; the next one comes after a delay, and never after the deadline."""
    due = now + policy.delay(max(1, progress.unspent), chance)
    if due > progress.accepted_at + policy.lifetime:
        return GiveUp(f"gave up: {reason}")
    return RetryAt(due, reason, counts=False)


def _unspent(
    progress: DeliveryProgress, reason: str, wait: timedelta, policy: RetryPolicy, now: datetime
) -> RetryAt | GiveUp:
    if wait and now + wait > progress.accepted_at + policy.lifetime:
        return GiveUp(f"gave up: {reason}")
    return RetryAt(now + wait, reason, counts=False)


def _later(
    progress: DeliveryProgress,
    reason: str,
    retry_after: timedelta | None,
    policy: RetryPolicy,
    now: datetime,
    chance: float,
) -> Decision:
    patient = (progress.attempts_counted - policy.retries) * policy.delay_max <= policy.patience
    if retry_after is not None:
        due = now + max(retry_after, policy.delay(1, chance))
    elif progress.attempts_counted <= policy.retries:
        due = now + policy.delay(progress.attempts_counted, chance)
    elif patient:
        due = now + policy.delay_max
    else:
        return GiveUp(f"gave up: {reason}")
    if due > progress.accepted_at + policy.lifetime:
        return GiveUp(f"gave up: {reason}")
    return RetryAt(due, reason, counts=retry_after is None)
