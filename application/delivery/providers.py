"""The providers of this process: which may be called, and what their answers say of them.

Kept in memory: each process learns for itself, with one probe at a time, and nobody's word about a provider
outlives the process that had it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from application.kernel.ports import Clock
from application.provider.ports import ProviderWatch
from domain.delivery.health import HEALTHY, Health, heard, meant, probed, rested
from domain.delivery.outcome import Outcome


class Route(msgspec.Struct, frozen=True):
    """Who carries a delivery now."""

    provider: str
    probe: bool = False
    """It rests: this call shows whether it can go on."""


class Resting(msgspec.Struct, frozen=True):
    """A provider that rests, why, and for how long by now."""

    fault: str
    since: float
    """Monotonic seconds: names this rest."""
    rested: timedelta


@dataclass(slots=True, kw_only=True)
class ProviderStates:
    """One for all lanes of a process.  What nobody has heard of is healthy."""

    clock: Clock
    watch: ProviderWatch
    _known: dict[str, Health] = field(default_factory=dict)

    def choose(self, providers: Sequence[str]) -> Route | None:
        """The first that may be called; one that rests and is due gets its probe.  None: all rest."""
        now = self.clock.monotonic()
        for name in providers:
            health = self._known.get(name, HEALTHY)
            if health.open_to_all():
                return Route(name)
            if health.open_to_one(now):
                self._known[name] = probed(health, now)
                return Route(name, probe=True)
        return None

    def rest(self, providers: Sequence[str]) -> bool:
        """Whether all of them do."""
        return bool(providers) and not any(self._known.get(name, HEALTHY).open_to_all() for name in providers)

    def probe_due(self, providers: Sequence[str]) -> bool:
        """Whether one of them waits for a probe."""
        now = self.clock.monotonic()
        return any(self._known.get(name, HEALTHY).open_to_one(now) for name in providers)

    def heard(self, provider: str, outcome: Outcome, *, probe: bool) -> Outcome:
        """Learn from a call, and return what it means for its delivery."""
        before, now = self._known.get(provider, HEALTHY), self.clock.monotonic()
        health = heard(before, outcome, now, probe=probe)
        if health is not before:
            self._known[provider] = health
        if before.fault is None and health.fault is not None:
            self.watch.provider_rests(provider, health.fault)
        elif before.fault is not None and health.fault is None:
            self.watch.provider_goes_on(provider, rested(before, now))
        return meant(health, outcome)

    def resting(self) -> Mapping[str, Resting]:
        """Those that rest, by name."""
        now = self.clock.monotonic()
        return {
            name: Resting(health.fault, health.since, rested(health, now))
            for name, health in self._known.items()
            if health.fault is not None
        }
