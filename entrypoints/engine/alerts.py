"""Tells operators of what happened: a line in the log, and the webhook; what is not heard is told again."""

from dataclasses import dataclass

from application.alert.dead_letters import AlertDeadLetters, AlertedGroup
from application.alert.providers import AlertPausedProviders
from entrypoints.engine.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterAlerts:
    """Called every few seconds."""

    tell: AlertDeadLetters
    telemetry: Telemetry

    async def __call__(self) -> None:
        """Tell of every group that is due; when one is not taken, that is enough for now.

        Raises:
            StoreUnavailable: next time.
        """
        while (told := await self.tell()) is not None:
            self._say(told)
            if told.fault is not None:
                return

    def _say(self, told: AlertedGroup) -> None:
        appeared = told.appeared
        group = {"group": appeared.fingerprint, "mode": appeared.mode, "channel": appeared.channel}
        self.telemetry.trouble(
            "dead_letters.appeared", **group, provider=appeared.provider, count=appeared.count
        )
        if told.fault is not None:
            self.telemetry.trouble("alert.undelivered", **group, reason=told.fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAlerts:
    """The same of providers that rest; the log has it from who noticed."""

    tell: AlertPausedProviders
    telemetry: Telemetry

    async def __call__(self) -> None:
        """Tell what has changed."""
        for provider, fault in (await self.tell()).items():
            self.telemetry.trouble("alert.undelivered", provider=provider, reason=fault)
