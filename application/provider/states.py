"""The health of providers in this process: which may be called, and what their outcomes change.

Two things keep a provider from being called: it refuses our account (`domain.provider.health`), or too many
of its last calls have failed (its breaker).  Both are kept in memory: each process has its own view, probes
by itself, and forgets when it ends.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from application.kernel.ports import Clock
from application.provider.ports import (
    Admission,
    Breaker,
    BreakerState,
    CallResult,
    PausedProvider,
    ProviderWatch,
    Route,
)
from domain.provider.health import (
    HEALTHY,
    Health,
    after_outcome,
    outcome_for_delivery,
    paused_for,
    with_probe,
)
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown


@dataclass(slots=True, kw_only=True)
class ProviderStates:
    """Implements `ProviderChoice` and `PausedProviders`.  A provider without any outcome yet is healthy.

    Args:
        breaker: makes the breaker of a provider.
    """

    clock: Clock
    watch: ProviderWatch
    breaker: Callable[[], Breaker]
    _known: dict[str, Health] = field(default_factory=dict)
    _breakers: dict[str, Breaker] = field(default_factory=dict)

    def choose(self, providers: Sequence[str]) -> Route | None:
        """The first that may be called; one whose pause has ended gets a probe.  None: none may."""
        now = self.clock.monotonic()
        for name in providers:
            health = self._known.get(name, HEALTHY)
            if not health.accepts_probe(now) or (admission := self._breaker(name).admit()) is None:
                continue
            if not health.available():
                self._known[name] = with_probe(health, now)
            return Route(name, probe=admission.probe or not health.available(), epoch=admission.epoch)
        return None

    def all_paused(self, providers: Sequence[str]) -> bool:
        """Whether there are providers, and all of them are paused or fail too often."""
        return bool(providers) and not any(self._available(name) for name in providers)

    def probe_due(self, providers: Sequence[str]) -> bool:
        """Whether one of them may be called or probed now."""
        now = self.clock.monotonic()
        return any(
            self._known.get(name, HEALTHY).accepts_probe(now) and self._breaker(name).admits()
            for name in providers
        )

    def record(self, route: Route, outcome: Outcome) -> Outcome:
        """Learn from the outcome of a call, and return what it means for its delivery."""
        provider = route.provider
        before = self._known.get(provider, HEALTHY)
        if before is HEALTHY and isinstance(outcome, Accepted) and not route.probe:  # nearly always
            self._breaker(provider).record(Admission(route.epoch), CallResult.SUCCEEDED)
            return outcome
        now = self.clock.monotonic()
        health = after_outcome(before, outcome, now, probe=route.probe)
        if health is not before:
            self._known[provider] = health
        if before.fault is None and health.fault is not None:
            self.watch.provider_paused(provider, health.fault)
        elif before.fault is not None and health.fault is None:
            self.watch.provider_resumed(provider, paused_for(before, now))
        breaker = self._breaker(provider)
        state = breaker.state
        breaker.record(Admission(route.epoch), call_result(outcome))
        if breaker.state is not state:
            self.watch.breaker_moved(provider, breaker.state)
        return outcome_for_delivery(health, outcome)

    def paused(self) -> Mapping[str, PausedProvider]:
        """The paused providers, by name."""
        now = self.clock.monotonic()
        return {
            name: PausedProvider(health.fault, health.since, paused_for(health, now))
            for name, health in self._known.items()
            if health.fault is not None
        }

    def _available(self, name: str) -> bool:
        closed = name not in self._breakers or self._breakers[name].state is BreakerState.CLOSED
        return closed and self._known.get(name, HEALTHY).available()

    def _breaker(self, name: str) -> Breaker:
        if name not in self._breakers:
            self._breakers[name] = self.breaker()
        return self._breakers[name]


def call_result(outcome: Outcome) -> CallResult:
    """What an outcome says of the provider: one that refuses or defers a message it has examined works."""
    match outcome:
        case Accepted() | Refused(examined=True):
            return CallResult.SUCCEEDED
        case Deferred(retry_after=None, examined=examined):
            return CallResult.SUCCEEDED if examined else CallResult.FAILED
        case Unknown(of_recipient=False):
            return CallResult.FAILED
        case Unknown() | Deferred() | Refused() | AccountFault() | NotCalled():
            return CallResult.NOTHING
