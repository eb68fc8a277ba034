"""How a provider stands, as one process knows it: open to all, or resting and probed.  Pure: time is given.

    open ─── the account is refused ───► resting ─── its time has come ───► one probe
      ▲                                     ▲                                  │
      │                                     └────── refused again: longer ─────┤
      └──────────────── the provider has looked at the probe's message ────────┘

What a breaker counts, and who is next in a channel's list, builds on this: nobody else decides whether a
provider may be called.
"""

from datetime import timedelta

import msgspec

from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown

UNCERTAIN_FAULTS_MAX = 3
"""So many faults that may be the messages' own, and nothing accepted between them, are the account's."""
PAUSE_MIN, PAUSE_MAX = 5.0, 30.0
"""Seconds until the first probe, and between two at most: they double."""
UNCERTAIN_PAUSE = 1.0
"""The same while there is doubt: message after message is tried, until one is taken or all were refused."""
PROBE_MAX = 10.0
"""Seconds; a probe that is not heard of for so long is followed by another."""


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """One provider's; all times are monotonic seconds."""

    fault: str | None = None
    """Why it rests, None: it does not."""
    since: float = 0.0
    """When it began to rest."""
    probe_at: float = 0.0
    failures: int = 0
    """Faults in a row that it rests for: the first, and the probes'."""
    uncertain_faults: int = 0
    """Faults in a row that may be the messages' own."""

    def available(self) -> bool:
        """It does not rest."""
        return self.fault is None

    def accepts_probe(self, now: float) -> bool:
        """It does not rest, or it is time for a probe."""
        return self.fault is None or now >= self.probe_at


HEALTHY = Health()


def with_probe(health: Health, now: float) -> Health:
    """A probe is on its way: for a while nobody else sends one."""
    return msgspec.structs.replace(health, probe_at=now + PROBE_MAX)


def after_outcome(health: Health, outcome: Outcome, now: float, *, probe: bool) -> Health:
    """What an outcome says of the provider.

    Args:
        probe: it is a probe's.  Of the calls that were under way when the rest began nothing is learned: a
            connection that had logged in before says nothing of the password.
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
    """What an outcome is to its delivery, given how the provider stands after it.

    A fault that may be the message's own, while others pass, is taken for its own: it comes back while its
    class has patience.
    """
    if isinstance(outcome, AccountFault) and health.fault is None:
        return Deferred(outcome.reason)
    return outcome


def paused_for(health: Health, now: float) -> timedelta:
    """How long it has rested."""
    return timedelta(seconds=max(0.0, now - health.since))
