"""The health of providers in this process: which may be called, and what their outcomes change.

Two things keep a provider from being called: it refuses our account (`domain.provider.health`), or too many
of its last calls have failed (its breaker).  Both are kept in memory: each process has its own view, probes
by itself, and forgets when it ends.  What the others find out, and what operators decide, goes before that.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

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
from domain.provider.forcing import Forced
from domain.provider.health import (
    HEALTHY,
    Health,
    after_outcome,
    outcome_for_delivery,
    paused_for,
    with_probe,
)
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown

HELD_MAX = 1_000
"""Providers of which others speak: names come from outside."""
LONGEST_HOLD = timedelta(minutes=5)


@dataclass(slots=True, kw_only=True)
class ProviderStates:
    """Implements `ProviderChoice`, `PausedProviders` and `SteeredProviders`.

    A provider without any outcome yet is healthy.

    Args:
        breaker: makes the breaker of a provider.
    """

    clock: Clock
    watch: ProviderWatch
    breaker: Callable[[], Breaker]
    _known: dict[str, Health] = field(default_factory=dict)
    _breakers: dict[str, Breaker] = field(default_factory=dict)
    _forced: Mapping[str, Forced] = field(default_factory=dict)
    _held: dict[str, float] = field(default_factory=dict)
    """Until when others leave a provider alone, in monotonic seconds."""

    def choose(self, providers: Sequence[str]) -> Route | None:
        """The first that may be called; one whose pause has ended gets a probe.  None: none may."""
        now = self.clock.monotonic()
        for name in providers:
            steered = self._steered(name, now) if self._forced or self._held else None
            if steered is Forced.CLOSED:
                return Route(name)
            if steered is Forced.OPEN:
                continue
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
            (steered := self._steered(name, now)) is Forced.CLOSED
            or (
                steered is None
                and self._known.get(name, HEALTHY).accepts_probe(now)
                and self._breaker(name).admits()
            )
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

    def force(self, forced: Mapping[str, Forced]) -> None:
        """See `SteeredProviders`."""
        self._forced = forced

    def hold(self, provider: str, held: timedelta | None) -> None:
        """See `SteeredProviders`."""
        if held is None:
            self._held.pop(provider, None)
        elif provider in self._held or len(self._held) < HELD_MAX:
            self._held[provider] = self.clock.monotonic() + min(held, LONGEST_HOLD).total_seconds()

    def stopped(self) -> Mapping[str, str]:
        """See `SteeredProviders`."""
        now = self.clock.monotonic()
        why = {name: "held" for name, until in self._held.items() if until > now}
        why |= {name: "breaker" for name, each in self._breakers.items() if each.state is BreakerState.OPEN}
        why |= {name: "paused" for name, health in self._known.items() if not health.available()}
        why = {name: each for name, each in why.items() if name not in self._forced}
        return why | {name: "forced" for name, forced in self._forced.items() if forced is Forced.OPEN}

    def _steered(self, name: str, now: float) -> Forced | None:
        """What others say of it; None: nothing."""
        forced = self._forced.get(name)
        if forced is None and (until := self._held.get(name)) is not None:
            if until > now:
                return Forced.OPEN
            del self._held[name]
        return forced

    def _available(self, name: str) -> bool:
        if (self._forced or self._held) and (
            steered := self._steered(name, self.clock.monotonic())
        ) is not None:
            return steered is Forced.CLOSED
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
