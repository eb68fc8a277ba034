"""Alerts operators to new dead letters: one event for each group, not one for each dead letter.

A process claims a group in the database before it alerts; when it dies or fails, another one takes over.
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
"""How long a claim lasts: longer than a webhook's time-out."""
PAUSE_MIN, PAUSE_MAX = timedelta(seconds=2), timedelta(minutes=5)
"""Bounds of the pause after a failed alert: as long as the group has waited so far, so that pauses double."""


class AppearedData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How many deliveries failed, and where; no personal data and no text of a provider."""

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
    """One group, and the error of its alert; None: the receiver has accepted it."""

    appeared: Appeared
    fault: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertDeadLetters:
    """Without a `hook` the caller writes the alert to the log."""

    alerts: Alerts
    hook: OperatorsHook | None
    clock: Clock
    quiet: timedelta
    """A group that was alerted so recently waits, and collects more dead letters meanwhile."""

    async def __call__(self) -> AlertedGroup | None:
        """Alert operators to one group; None when there is nothing new.

        Raises:
            StoreUnavailable: the alert is sent later, perhaps for a second time.
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
    """The event's id, the same for the same dead letters: a receiver recognises a repeated event."""
    same = msgspec.json.encode((appeared.fingerprint, appeared.mode, appeared.last_at, appeared.count))
    return f"msg_{hashlib.sha256(same).hexdigest()[:32]}"
