"""May this delivery be sent now?  The last look before a call, on facts read in one statement.

Consent, quiet hours and limits get their place here: each is one more question between the facts and
`Cleared`.
"""

from datetime import datetime, timedelta

import msgspec

from domain.delivery.decide import DeliveryProgress, GiveUp, Hold, RetryAt, decide
from domain.delivery.policy import RetryPolicy
from domain.provider.outcome import Unknown


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate looks at."""

    accepted_at: datetime
    spent: int
    """Attempts of this epoch that counted so far, an interrupted one included."""
    interrupted: bool
    """A call was begun under an earlier lease and nobody knows how it ended: its worker died."""
    strikes: int = 0
    """Leases in a row whose worker died."""
    cancelled: bool
    suppressed: str | None
    """Why this address must not be written to (bounced, complained, blocked), or None."""
    channel_enabled: bool
    channel_paused: bool
    erased: bool
    """The user's key is gone: nothing can be read any more."""
    address: str | None
    """Where to send, or None while `users` has not one for this channel."""


class Cleared(msgspec.Struct, frozen=True):
    """Go."""

    address: str


class Suppressed(msgspec.Struct, frozen=True):
    """Must not be sent, now or ever."""

    reason: str


class Cancelled(msgspec.Struct, frozen=True):
    """Its notification was cancelled."""


class Paused(msgspec.Struct, frozen=True):
    """The lane rests: hand the delivery back, nothing is spent."""

    reason: str = "channel paused"


Verdict = Cleared | Suppressed | Cancelled | Paused | RetryAt | GiveUp | Hold

STRIKES_MAX = 5
"""A delivery whose worker died so often, lastly in its company alone, is what kills them."""

STEP_MIN, STEP_MAX = timedelta(seconds=1), timedelta(seconds=10)
"""Between two looks for an address: as long as it has been waited for; an order may only just have overtaken
the event of its customer."""


def unanswered(
    progress: DeliveryProgress, policy: RetryPolicy, *, now: datetime, chance: float
) -> Hold | GiveUp | None:
    """What becomes of a delivery whose call nobody heard of again; None: it may be called again.

    It depends on nothing that its user's key would show, and is asked without it, too.
    """
    follow = decide(progress, Unknown("worker lost"), policy, now=now, chance=chance)
    return follow if isinstance(follow, Hold | GiveUp) else None


def check(facts: Facts, policy: RetryPolicy, *, now: datetime, chance: float) -> Verdict:
    """Clear a delivery for its call, or say what becomes of it instead.

    Args:
        now: aware UTC.
        chance: uniform in [0, 1).
    """
    if facts.interrupted:
        progress = DeliveryProgress(facts.accepted_at, facts.spent)
        if (follow := unanswered(progress, policy, now=now, chance=chance)) is not None:
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
            return RetryAt(now + step, "no address yet", spends=False)
        return GiveUp("no address")
    return Cleared(facts.address)
