"""The health of a provider, as one process knows it: available, or paused and probed.  Pure: time is given.

    open ─── the account is refused ───► paused ──── the pause has ended ──► one probe
      ▲                                     ▲                                  │
      │                                     └────── refused again: longer ─────┤
      └──────────────── the provider has examined the probe's message ────────┘

Nothing else decides whether a provider may be called.
"""

from datetime import timedelta

import msgspec

from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown

UNCERTAIN_FAULTS_MAX = 3
"""After so many uncertain faults in a row, with nothing accepted between them, the account is at fault."""
PAUSE_MIN, PAUSE_MAX = 5.0, 30.0
"""Seconds: the first pause, and the longest; each pause is twice the one before."""
UNCERTAIN_PAUSE = 1.0
"""Seconds: the pause while it is uncertain whose fault it is.  It is short, so that one message after the
other is tried until one is accepted."""
PROBE_MAX = 10.0
"""Seconds after which a probe without an outcome is followed by another."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """The health of one provider; all times are monotonic seconds."""

    fault: str | None = None
    """Why it is paused; None: it is not."""
    since: float = 0.0
    """When the pause began."""
    probe_at: float = 0.0
    failures: int = 0
    """Consecutive faults of this pause: the one that began it, and those of its probes."""
    uncertain_faults: int = 0
    """Consecutive faults that may be the messages' own."""

    def available(self) -> bool:
        """Whether it is not paused."""
        return self.fault is None

    def accepts_probe(self, now: float) -> bool:
        """Whether it is not paused, or may be probed now."""
        return self.fault is None or now >= self.probe_at


HEALTHY = Health()


def with_probe(health: Health, now: float) -> Health:
    """The health while a probe is under way: for `PROBE_MAX` no other one is sent."""
    return msgspec.structs.replace(health, probe_at=now + PROBE_MAX)


def after_outcome(health: Health, outcome: Outcome, now: float, *, probe: bool) -> Health:
    """The health after an outcome.

    Args:
        probe: whether it is the outcome of a probe.  Calls that were under way when the pause began change
            nothing: a connection that logged in earlier does not prove that the password still works.
    """
    paused = health.fault is not None
    match outcome:
        case AccountFault(reason, certain):
            uncertain_faults = health.uncertain_faults + 1
            if paused and not probe:
                return health
            if not (paused or certain or uncertain_faults >= UNCERTAIN_FAULTS_MAX):
                return msgspec.structs.replace(health, uncertain_faults=uncertain_faults)
            failures = health.failures + 1
            return Health(
                fault=reason,
                since=health.since if paused else now,
                probe_at=now
                + (min(PAUSE_MIN * 2 ** min(failures - 1, 16), PAUSE_MAX) if certain else UNCERTAIN_PAUSE),
                failures=failures,
                uncertain_faults=uncertain_faults,
            )
        case Accepted() | Unknown():
            return health if paused and not probe else HEALTHY
        case Deferred() | Refused():
            return HEALTHY if paused and probe and outcome.examined else health
        case NotCalled():
            return health


def outcome_for_delivery(health: Health, outcome: Outcome) -> Outcome:
    """The outcome that counts for the delivery, given the provider's health after it.

    An uncertain account fault, while the provider is not paused, counts as the message's own: the delivery is
    deferred while its class has patience.
    """
    if isinstance(outcome, AccountFault) and health.fault is None:
        return Deferred(outcome.reason)
    return outcome


def paused_for(health: Health, now: float) -> timedelta:
    """How long it has been paused."""
    return timedelta(seconds=max(0.0, now - health.since))
