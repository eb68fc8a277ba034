"""Alerts operators, in the log and by webhook; what the receiver does not take is sent again."""

from dataclasses import dataclass

from application.alert.dead_letters import TellOfLetters, Told
from application.alert.providers import TellOfProviders
from entrypoints.engine.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterAlerts:
    """Called every few seconds."""

    tell: TellOfLetters
    telemetry: Telemetry

    async def __call__(self) -> None:
        """Send the alert of every group that is due; stop at the first that is not taken.

        Raises:
            StoreUnavailable: it is tried again next time.
        """
        while (told := await self.tell()) is not None:
            self._log(told)
            if told.fault is not None:
                return

    def _log(self, told: Told) -> None:
        appeared = told.appeared
        group = {"group": appeared.fingerprint, "mode": appeared.mode, "channel": appeared.channel}
        self.telemetry.trouble(
            "dead_letters.appeared", **group, provider=appeared.provider, count=appeared.count
        )
        if told.fault is not None:
            self.telemetry.trouble("alert.undelivered", **group, reason=told.fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAlerts:
    """Called every few seconds.  Sends alerts of resting providers; the log has its line already."""

    tell: TellOfProviders
    telemetry: Telemetry

    async def __call__(self) -> None:
        """Send what has changed."""
        for provider, fault in (await self.tell()).items():
            self.telemetry.trouble("alert.undelivered", provider=provider, reason=fault)
