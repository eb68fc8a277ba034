"""The gate: decides, right before a call, whether a delivery may be sent now, on facts read in one statement.

Consent, quiet hours and limits belong here: each is one more check before `Cleared`.
"""

from datetime import datetime, timedelta

import msgspec

from domain.delivery.decide import DeliveryProgress, GiveUp, Hold, RetryAt, decide
from domain.delivery.policy import RetryPolicy
from domain.provider.outcome import Unknown


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """The facts on which the gate decides."""

    accepted_at: datetime
    attempts_counted: int
    """Attempts of this epoch that counted so far, an interrupted one included."""
    interrupted: bool
    """A call was begun under an earlier lease and its outcome is unknown, because its worker died."""
    answerable: bool = False
    """It can be known what became of that call, and the class wants to."""
    strikes: int = 0
    """Consecutive leases whose worker died."""
    cancelled: bool
    suppressed: str | None
    """Why this address must not be written to (bounced, complained, blocked), or None."""
    channel_enabled: bool
    channel_paused: bool
    erased: bool
    """The user's key is gone: nothing can be read any more."""
    address: str | None
    """The address to send to; None while `users` has none for this channel."""
    wants: str = "address"
    """What it is called."""


class Cleared(msgspec.Struct, frozen=True):
    """It may be sent, to this address."""

    address: str


class Suppressed(msgspec.Struct, frozen=True):
    """It must never be sent."""

    reason: str


class Cancelled(msgspec.Struct, frozen=True):
    """Its notification was cancelled."""


class Paused(msgspec.Struct, frozen=True):
    """The lane pauses: the delivery is queued again and no attempt is counted."""

    reason: str = "channel paused"


class Reached(msgspec.Struct, frozen=True):
    """A device of the user has accepted the message earlier, and there is none left to call."""


GateDecision = Cleared | Reached | Suppressed | Cancelled | Paused | RetryAt | GiveUp | Hold

STRIKES_MAX = 5
"""After so many strikes the delivery is given up: the last workers died while they held it alone."""

STEP_MIN, STEP_MAX = timedelta(seconds=1), timedelta(seconds=10)
"""Bounds of the wait between two look-ups of an address.  The wait grows with the time waited so far: often
an order has only just overtaken the event of its customer."""


def unanswered(
    progress: DeliveryProgress,
    policy: RetryPolicy,
    *,
    now: datetime,
    chance: float,
    answerable: bool = False,
) -> Hold | GiveUp | None:
    """Decides about a delivery whose call never got an answer; None: it may be called again.

    It needs no personal data, so it works when the user's key is missing.
    """
    lost = Unknown("worker lost")
    follow = decide(progress, lost, policy, now=now, chance=chance, answerable=answerable, is_open=answerable)
    return follow if isinstance(follow, Hold | GiveUp) else None


def check(facts: Facts, policy: RetryPolicy, *, now: datetime, chance: float) -> GateDecision:
    """Clear a delivery for its call, or return what happens to it instead.

    Args:
        now: aware UTC.
        chance: uniform in [0, 1).
    """
    if facts.interrupted:
        progress = DeliveryProgress(facts.accepted_at, facts.attempts_counted)
        follow = unanswered(progress, policy, now=now, chance=chance, answerable=facts.answerable)
        if follow is not None:
            return follow
    if facts.strikes >= STRIKES_MAX:
        return GiveUp(f"its worker died {facts.strikes} times in a row")
    if facts.cancelled:
        return Cancelled()
    if facts.erased:
        return Suppressed("erased")
    if facts.suppressed is not None:
        return Suppressed(facts.suppressed)
    if now > facts.accepted_at + policy.lifetime:
        return GiveUp("deadline passed")
    if not facts.channel_enabled:
        return Paused("channel disabled")
    if facts.channel_paused:
        return Paused()
    if facts.address is None:
        if now < facts.accepted_at + policy.address_patience:
            step = min(max(now - facts.accepted_at, STEP_MIN), STEP_MAX)
            return RetryAt(now + step, f"no {facts.wants} yet", counts=False)
        return GiveUp(f"no {facts.wants}")
    return Cleared(facts.address)
