"""The provider: it alone knows what was really sent.

Addresses tell it what to do (`refuse@…`, `flaky@…`, `fussy@…`, `mute@…`, `slow@…`, `scan@…`); else
the random faults do.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from uuid import UUID

from application.provider.ports import SANDBOX, OutboundMessage
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused
from tests.simulation.random_faults import RandomFaults

SECOND = "second"
"""Beside the sandbox, in some of the runs.  The great mishaps are the sandbox's alone."""
LOGIN_REFUSED = "535 login refused"


@dataclass(frozen=True, slots=True)
class Line:
    """One call, as the provider saw it."""

    time: float
    provider: str
    delivery: UUID
    attempt: int
    epoch: int
    """Of the delivery, as the rows had it when the call began."""
    taken: bool
    """The message is out."""
    said: str | None
    """accepted, deferred, refused, accountfault; None: it did not answer."""
    counts: bool
    """The answer asked for no certain wait."""


def reference(delivery: UUID, attempt: int) -> str:
    """The provider's own name for what it took."""
    return f"{delivery}/{attempt}"


@dataclass(slots=True)
class Provider:
    """All providers, each for all channels."""

    loop: asyncio.AbstractEventLoop
    chance: Random
    random_faults: RandomFaults
    lines: list[Line] = field(default_factory=list)

    def take(self, provider: str, message: OutboundMessage, epoch: int) -> Outcome | None:
        """A call has arrived: what is answered, None for silence; the ledger has it from now on."""
        outcome, taken = self._decide(provider, message)
        self.lines.append(
            Line(
                time=self.loop.time(),
                provider=provider,
                delivery=message.delivery,
                attempt=message.attempt,
                epoch=epoch,
                taken=taken,
                said=None if outcome is None else type(outcome).__name__.lower(),
                counts=not (
                    isinstance(outcome, AccountFault)
                    or (isinstance(outcome, Deferred) and outcome.retry_after is not None)
                ),
            )
        )
        return outcome

    def latency(self, message: OutboundMessage) -> float:
        """Seconds until the answer is back."""
        if message.address.startswith("scan"):
            return self.chance.uniform(2, 45)
        if message.address.startswith("slow"):
            return self.chance.uniform(0.5, 3.5)
        return self.chance.choice((0.05, 0.05, 0.05, 0.2, min(3.5, self.chance.expovariate(2))))

    def _decide(self, provider: str, message: OutboundMessage) -> tuple[Outcome | None, bool]:
        accepted = Accepted(reference(message.delivery, message.attempt))
        dice = self.chance.random()
        main = provider == SANDBOX
        if main and self.random_faults.login_refused:
            self.random_faults.count["provider refuses the login"] += 1
            return AccountFault(LOGIN_REFUSED), False
        if message.address.startswith("fussy") and dice < 0.4:
            return AccountFault("relay denied", certain=False), False
        if message.address.startswith("refuse"):
            return Refused("no such mailbox"), False
        if message.address.startswith("flaky") and dice < 0.6:
            return Deferred("busy"), False
        if message.address.startswith("mute") and dice < 0.5:
            self.random_faults.count["provider silent"] += 1
            return None, self.chance.random() < 0.5
        if not self.random_faults.failing:
            return accepted, True
        if main and self.random_faults.provider_down:
            self.random_faults.count["provider down"] += 1
            return (Deferred("down"), False) if dice < 0.8 else (None, dice < 0.9)
        if dice < 0.05:
            self.random_faults.count["provider defers"] += 1
            return Deferred("try later"), False
        if dice < 0.08:
            self.random_faults.count["provider throttles"] += 1
            return Deferred("slow down", retry_after=timedelta(seconds=self.chance.randint(1, 8))), False
        if dice < 0.11:
            self.random_faults.count["provider silent"] += 1
            return None, self.chance.random() < 0.5
        if dice < 0.13:
            self.random_faults.count["provider refuses"] += 1
            return Refused("blocked"), False
        return accepted, True
