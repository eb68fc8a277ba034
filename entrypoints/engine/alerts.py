"""Alerts operators, in the log and by webhook; what the receiver does not take is sent again."""

from dataclasses import dataclass

from application.alert.dead_letters import AlertDeadLetters, AlertedGroup
from application.alert.providers import AlertPausedProviders
from entrypoints.engine.telemetry import Telemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetterAlerts:
    """Called every few seconds."""

    send: AlertDeadLetters
    telemetry: Telemetry

    async def __call__(self) -> None:
        """Send the alert of every group that is due; stop at the first that is not taken.

        Raises:
            StoreUnavailable: it is tried again next time.
        """
        while (alert := await self.send()) is not None:
            self._log(alert)
            if alert.fault is not None:
                return

    def _log(self, alert: AlertedGroup) -> None:
        appeared = alert.appeared
        group = {"group": appeared.fingerprint, "mode": appeared.mode, "channel": appeared.channel}
        self.telemetry.trouble(
            "dead_letters.appeared", **group, provider=appeared.provider, count=appeared.count
        )
        if alert.fault is not None:
            self.telemetry.trouble("alert.undelivered", **group, reason=alert.fault)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderAlerts:
    """Called every few seconds.  Sends alerts of paused providers; the log has its line already."""

    send: AlertPausedProviders
    telemetry: Telemetry

    async def __call__(self) -> None:
        """Send what has changed."""
        for provider, fault in (await self.send()).items():
            self.telemetry.trouble("alert.undelivered", provider=provider, reason=fault)
