"""Tell operators that dead letters have appeared: one event for a group, not one for each letter.

On the rows it says who is telling; who dies in the middle of it, or is not heard, is followed by the next.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec

from application.alert.ports import Alerts, Appeared, OperatorsHook
from application.kernel.ports import Clock
from domain.kernel.errors import Unavailable

EVENT = "dead_letters.appeared"
CLAIM = timedelta(seconds=15)
"""Longer than a webhook's time-out."""
PAUSE_MIN, PAUSE_MAX = timedelta(seconds=2), timedelta(minutes=5)
"""What was not taken waits as long again as it has waited already: the pauses double."""


class AppearedData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of how many; no personal data, and nothing that a provider said."""

    group: str
    mode: str
    channel_type: str
    provider: str | None
    count: int
    first_at: datetime
    last_at: datetime
    links: dict[str, str]


class AppearedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The body, as Standard Webhooks would have it."""

    type: str
    timestamp: datetime
    data: AppearedData


class AlertedGroup(msgspec.Struct, frozen=True):
    """One group, and why the receiver does not know of it."""

    appeared: Appeared
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDeadLetters:
    """`hook` None: who calls this says it, in the log."""

    alerts: Alerts
    hook: OperatorsHook | None
    clock: Clock
    quiet: timedelta
    """A group that was told of so recently waits: others may join it."""

    async def __call__(self) -> AlertedGroup | None:
        """Tell of one group; None when there is nothing to tell.

        Raises:
            StoreUnavailable: it will be told, again perhaps.
        """
        appeared = await self.alerts.claim(quiet=self.quiet, span=CLAIM)
        if appeared is None:
            return None
        if self.hook is not None:
            try:
                await self.hook.post(_id(appeared), msgspec.json.encode(_event(appeared)))
            except Unavailable as away:
                waited = self.clock.now() - appeared.first_at
                await self.alerts.postpone(appeared, min(max(waited, PAUSE_MIN), PAUSE_MAX))
                return AlertedGroup(appeared, str(away))
        await self.alerts.record_alerted(appeared)
        return AlertedGroup(appeared, None)


def _event(appeared: Appeared) -> AppearedEvent:
    return AppearedEvent(
        type=EVENT,
        timestamp=appeared.last_at,
        data=AppearedData(
            group=appeared.fingerprint,
            mode=appeared.mode,
            channel_type=appeared.channel,
            provider=appeared.provider,
            count=appeared.count,
            first_at=appeared.first_at,
            last_at=appeared.last_at,
            links={"deadLetters": f"/api/dead-letters?group={appeared.fingerprint}"},
        ),
    )


def _id(appeared: Appeared) -> str:
    """The same for the same letters: who gets it twice can tell."""
    told = msgspec.json.encode((appeared.fingerprint, appeared.mode, appeared.last_at, appeared.count))
    return f"msg_{hashlib.sha256(told).hexdigest()[:32]}"
