"""The health of providers in this process: which may be called, and what their outcomes change.

It is kept in memory: each process has its own view, sends one probe at a time, and forgets when it ends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from application.kernel.ports import Clock
from application.provider.ports import PausedProvider, ProviderWatch, Route
from domain.provider.health import (
    HEALTHY,
    Health,
    after_outcome,
    outcome_for_delivery,
    paused_for,
    with_probe,
)
from domain.provider.outcome import Outcome


@dataclass(slots=True, kw_only=True)
class ProviderStates:
    """Implements `ProviderChoice` and `PausedProviders`.  A provider without any outcome yet is healthy."""

    clock: Clock
    watch: ProviderWatch
    _known: dict[str, Health] = field(default_factory=dict)

    def choose(self, providers: Sequence[str]) -> Route | None:
        """The first that may be called; one whose pause has ended gets a probe.  None: all are paused."""
        now = self.clock.monotonic()
        for name in providers:
            health = self._known.get(name, HEALTHY)
            if health.available():
                return Route(name)
            if health.accepts_probe(now):
                self._known[name] = with_probe(health, now)
                return Route(name, probe=True)
        return None

    def all_paused(self, providers: Sequence[str]) -> bool:
        """Whether there are providers, and all of them are paused."""
        return bool(providers) and not any(self._known.get(name, HEALTHY).available() for name in providers)

    def probe_due(self, providers: Sequence[str]) -> bool:
        """Whether one of them may be called or probed now."""
        now = self.clock.monotonic()
        return any(self._known.get(name, HEALTHY).accepts_probe(now) for name in providers)

    def record(self, provider: str, outcome: Outcome, *, probe: bool) -> Outcome:
        """Learn from the outcome of a call, and return what it means for its delivery."""
        before, now = self._known.get(provider, HEALTHY), self.clock.monotonic()
        health = after_outcome(before, outcome, now, probe=probe)
        if health is not before:
            self._known[provider] = health
        if before.fault is None and health.fault is not None:
            self.watch.provider_paused(provider, health.fault)
        elif before.fault is not None and health.fault is None:
            self.watch.provider_resumed(provider, paused_for(before, now))
        return outcome_for_delivery(health, outcome)

    def paused(self) -> Mapping[str, PausedProvider]:
        """The paused providers, by name."""
        now = self.clock.monotonic()
        return {
            name: PausedProvider(health.fault, health.since, paused_for(health, now))
            for name, health in self._known.items()
            if health.fault is not None
        }
