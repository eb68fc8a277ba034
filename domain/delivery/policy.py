"""Retries, deadlines and unknown outcomes: one policy for each class of notifications, and the defaults."""

from datetime import timedelta
from enum import StrEnum

import msgspec

from domain.kernel.channel import NotificationClass


class OnUnknown(StrEnum):
    """What follows a call whose outcome nobody knows."""

    RESEND = "resend"
    """At least once: call again (may send twice, visibly)."""
    FAIL_OVER = "fail_over"
    """At least once, and soon: another provider of the channel is called (may send twice, visibly)."""
    HOLD = "hold"
    """At most once: the delivery is held until somebody resolves it."""
    RECONCILE = "reconcile"
    """Once: the provider is asked what became of it before anything is sent again; where it cannot be known,
    the delivery is held."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Retries of one class.  attempts = 1 + retries, then slow retries while there is patience."""

    retries: int = 3
    delay_max: timedelta = timedelta(seconds=60)
    """Longest wait between two fast retries, and the wait between slow ones."""
    patience: timedelta = timedelta(hours=1)
    """Sum of the waits of `delay_max` that follow the fast retries."""
    lifetime: timedelta = timedelta(hours=24)
    """Counted from acceptance: no attempt begins after it (the deadline)."""
    on_unknown: OnUnknown = OnUnknown.RESEND
    address_patience: timedelta = timedelta(minutes=5)
    """How long a delivery waits for `users` to learn its recipient's address."""

    def in_turn(self, place: int, places: int) -> "RetryPolicy":
        """The policy on one of several channels that are tried in turn.

        Args:
            place: of this channel, from 1.
            places: how many there are.

        All of them together have the lifetime, counted from acceptance: the k-th of n ends when k/n of it are
        over, so that one without an answer for long leaves time to the next.  Only the last one waits for an
        address: the others hand over at once.
        """
        if place >= places:
            return self
        share = self.lifetime * place / places
        return msgspec.structs.replace(
            self, lifetime=share, patience=min(self.patience, share), address_patience=timedelta()
        )

    def delay(self, retry: int, chance: float) -> timedelta:
        """Wait before retry number `retry` (1 is the first): full jitter in [1, max(2, 2^retry)] s, capped.

        Args:
            chance: uniform in [0, 1).
        """
        top = min(max(2.0, 2.0 ** min(retry, 32)), self.delay_max.total_seconds())
        return timedelta(seconds=1.0 + chance * max(0.0, top - 1.0))


DEFAULT_POLICIES: dict[NotificationClass, RetryPolicy] = {
    NotificationClass.OTP: RetryPolicy(patience=timedelta(minutes=10), lifetime=timedelta(minutes=10)),
    NotificationClass.TRANSACTIONAL: RetryPolicy(),
    NotificationClass.MARKETING: RetryPolicy(
        delay_max=timedelta(minutes=5), patience=timedelta(hours=4), address_patience=timedelta()
    ),
}
"""Marketing can wait: greylisting or a relay that is away delays it by minutes and does not end it."""
