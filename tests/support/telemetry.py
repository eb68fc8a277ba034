"""Telemetry that remembers, for tests of what is reported to the outside."""

from collections import Counter
from datetime import timedelta
from typing import Any

from application.provider.ports import BreakerState


class RecordedTelemetry:
    """Implements `Telemetry` of the actors and `EventTelemetry` of the events entrance."""

    def __init__(self) -> None:
        self.delivered_: Counter[tuple[str, str, str]] = Counter()
        self.events: Counter[tuple[str, str]] = Counter()
        self.kept_out_: Counter[str] = Counter()
        self.wides: list[tuple[str, dict[str, Any]]] = []
        self.troubles: list[tuple[str, dict[str, Any]]] = []
        self.ends: list[tuple[str, str, Exception | None]] = []

    def delivered(self, channel: str, provider: str, outcome: str, count: int = 1) -> None:
        self.delivered_[channel, provider, outcome] += count

    def event(self, type_: str, outcome: str, count: int = 1) -> None:
        self.events[type_, outcome] += count

    def kept_out(self, code: str, count: int = 1) -> None:
        self.kept_out_[code] += count

    def provider_paused(self, provider: str, reason: str) -> None:
        self.trouble("provider.paused", provider=provider, reason=reason)

    def breaker_moved(self, provider: str, state: BreakerState) -> None:
        self.wide("provider.breaker", provider=provider, state=str(state))

    def provider_resumed(self, provider: str, paused_for: timedelta) -> None:
        self.wide("provider.resumed", provider=provider)

    def stage(self, name: str, seconds: float) -> None:
        """Times are not worth remembering."""

    def task_ended(self, task: str, end: str, error: Exception | None) -> None:
        self.ends.append((task, str(end), error))

    def wide(self, event: str, **fields: Any) -> None:
        self.wides.append((event, fields))

    def trouble(self, event: str, **fields: Any) -> None:
        self.troubles.append((event, fields))

    def troubled_by(self, event: str) -> list[dict[str, Any]]:
        """The fields of each trouble of this name."""
        return [fields for name, fields in self.troubles if name == event]
