"""Alerts operators when a provider is paused because it refuses our account, and when it is resumed.

Each process sends its own alerts, since it keeps the state of providers in its memory.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.alert.ports import OperatorsHook
from application.kernel.ports import Clock
from application.provider.ports import PausedProvider, PausedProviders
from domain.kernel.errors import Unavailable

PAUSED, RESUMED = "provider.paused", "provider.resumed"
PAUSE_MIN, PAUSE_MAX = 2.0, 300.0
"""Seconds until a failed alert is sent again; they double."""


class ProviderData(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which provider, in which process; no text of a provider."""

    provider: str
    process: UUID
    since: datetime
    """When the pause began."""
    while_: str = msgspec.field(name="while")
    """What we were doing when it refused us: connecting, logging in, sender, recipient, data, message."""


class ProviderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The body, as Standard Webhooks would have it."""

    type: str
    timestamp: datetime
    data: ProviderData


@dataclass(slots=True)
class _PendingAlert:
    event: ProviderEvent
    after: float = 0.0
    pause: float = PAUSE_MIN


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertPausedProviders:
    """Called every few seconds.  Without a `hook` nothing is sent: the log has the same news."""

    providers: PausedProviders
    hook: OperatorsHook | None
    clock: Clock
    process: UUID
    _known: dict[str, PausedProvider] = field(default_factory=dict)
    _pending: dict[str, _PendingAlert] = field(default_factory=dict)
    """The newest alert of each provider: an older one that could not be sent is dropped."""

    async def __call__(self) -> Mapping[str, str]:
        """Send what has changed; returns the errors by provider."""
        if self.hook is None:
            return {}
        self._look()
        faults = {}
        for provider, pending in list(self._pending.items()):
            now = self.clock.monotonic()
            if now < pending.after:
                continue
            try:
                await self.hook.post(_id(pending.event), msgspec.json.encode(pending.event))
            except Unavailable as away:
                pending.after, pending.pause = now + pending.pause, min(pending.pause * 2, PAUSE_MAX)
                faults[provider] = str(away)
            else:
                del self._pending[provider]
        return faults

    def _look(self) -> None:
        paused_now = self.providers.paused()
        for provider in self._known.keys() - paused_now.keys():
            self._pending[provider] = _PendingAlert(self._event(RESUMED, provider, self._known.pop(provider)))
        for provider, paused in paused_now.items():
            known = self._known.get(provider)
            self._known[provider] = paused
            if known is None or known.since != paused.since:
                self._pending[provider] = _PendingAlert(self._event(PAUSED, provider, paused))

    def _event(self, kind: str, provider: str, paused: PausedProvider) -> ProviderEvent:
        now = self.clock.now()
        since = now - timedelta(seconds=self.clock.monotonic() - paused.since)
        doing = paused.fault.partition(":")[0]
        return ProviderEvent(
            type=kind,
            timestamp=now,
            data=ProviderData(provider=provider, process=self.process, since=since, while_=doing),
        )


def _id(event: ProviderEvent) -> str:
    """The event's id, the same when it is sent again."""
    return f"msg_{hashlib.sha256(msgspec.json.encode(event)).hexdigest()[:32]}"
