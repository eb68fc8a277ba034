"""A provider, as the delivery engine sees it."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from enum import Enum, StrEnum, auto
from typing import Protocol
from uuid import UUID

import msgspec

from application.kernel.versioned import Versioned
from domain.kernel.json_values import Json
from domain.provider.description import ProviderDescription
from domain.provider.lookup import Certainty, Finding
from domain.provider.outcome import Outcome

SANDBOX = "sandbox"
"""The provider that sends nothing.  It is always there: what test keys send goes to it."""
IN_APP = "in_app"
"""The provider of messages in the shop's own app, where a reader finds them.  It is always there."""


class OutboundMessage(msgspec.Struct, frozen=True, kw_only=True):
    """One rendered message for a provider."""

    delivery: UUID
    attempt: int
    channel: str
    type: str
    """The notification's type, for the provider's own statistics."""
    address: str
    name: str | None = None
    """The recipient's display name."""
    subject: str | None = None
    body: str | None = None
    html_body: str | None = None
    parts: Mapping[str, Json] = {}
    """What the channel has beside these: see `domain.channel.parts`."""
    alone: bool = False
    """What becomes of it must be known by itself: it shares no call where the provider would not know it
    apart from others."""


class Gateway(Protocol):
    """Carries messages of a channel.  Held to tests/contract/gateway.py.

    Returns an outcome and raises nothing of its own; a cancelled call is the caller's doing.  Failure before
    the request went out, or an error answer, is definite; no answer after its first byte is `Unknown`.
    """

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call, within the gateway's own time-out."""
        ...


class Gateways(Protocol):
    """The configured providers."""

    def named(self, provider: str) -> Gateway | None:
        """The gateway of a provider, or None when configuration has no such provider."""
        ...

    def push_services(self, provider: str) -> frozenset[str]:
        """The push services whose tokens a provider takes; none: it is given the user's own id."""
        ...


class Lookups(Protocol):
    """What providers know of messages whose calls they did not answer."""

    def certainty(self, provider: str) -> Certainty | None:
        """How it can be known what became of a call to it; None: it cannot, or there is no such provider."""
        ...

    async def find(self, provider: str, delivery: UUID, attempts: Collection[int]) -> Finding:
        """Ask for a delivery's message, sent by one of these attempts.  Raises nothing of its own."""
        ...


NO_ADMISSION = -1


class Route(msgspec.Struct, frozen=True):
    """The provider that is called for a delivery."""

    provider: str
    probe: bool = False
    """The provider is paused, or its breaker half-open: this call shows whether it works again."""
    epoch: int = 0
    """Of the breaker's admission; `NO_ADMISSION`: it has none, and says nothing of the breaker."""


class ProviderChoice(Protocol):
    """Which providers may be called; it learns from what they answer.  One for all lanes of a process."""

    def choose(self, providers: Sequence[str]) -> Route | None:
        """The first of `providers` that may be called, or a probe of a paused one; None: all are paused."""
        ...

    def all_paused(self, providers: Sequence[str]) -> bool:
        """Whether there are providers, and all of them are paused."""
        ...

    def probe_due(self, providers: Sequence[str]) -> bool:
        """Whether one of them is paused and may be probed now."""
        ...

    def record(self, route: Route, outcome: Outcome) -> Outcome:
        """Learn from the outcome of a call, and return what it means for its delivery."""
        ...


class BreakerState(StrEnum):
    """Whether a provider that fails too often is called."""

    CLOSED = "closed"
    """It is."""
    OPEN = "open"
    """It is not."""
    HALF_OPEN = "half_open"
    """A few calls at a time show whether it works again."""


class CallResult(Enum):
    """What an outcome says of the provider."""

    SUCCEEDED = auto()
    FAILED = auto()
    NOTHING = auto()


class Admission(msgspec.Struct, frozen=True):
    """A call that a breaker has let through; it wants to know what became of it."""

    epoch: int
    probe: bool = False


class Breaker(Protocol):
    """The circuit breaker of one provider account, in one process.  Held to tests/contract/breaker.py."""

    @property
    def state(self) -> BreakerState:
        """As it stands; an open one becomes half-open when somebody asks after its time."""
        ...

    def admits(self) -> bool:
        """Whether a call might begin now; promises nothing."""
        ...

    def admit(self) -> Admission | None:
        """Let one call through, or None."""
        ...

    def record(self, admission: Admission, result: CallResult) -> None:
        """Learn what became of a call; one that was admitted before the last change of state says nothing."""
        ...


class PausedProvider(msgspec.Struct, frozen=True):
    """A paused provider: why, since when, and for how long."""

    fault: str
    since: float
    """Monotonic seconds; tells one pause from the next."""
    paused_for: timedelta


class PausedProviders(Protocol):
    """The providers that are paused."""

    def paused(self) -> Mapping[str, PausedProvider]:
        """The paused providers, by name."""
        ...


class ProviderWatch(Protocol):
    """Is called when a provider is paused or resumed, and when its breaker moves."""

    def provider_paused(self, provider: str, reason: str) -> None:
        """Our account or configuration is refused: nothing is sent by it until a probe succeeds."""
        ...

    def provider_resumed(self, provider: str, paused_for: timedelta) -> None:
        """A probe has succeeded."""
        ...

    def breaker_moved(self, provider: str, state: BreakerState) -> None:
        """Its breaker has opened, is half-open, or has closed."""
        ...


class DescribedProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider that was described through the API."""

    name: str
    description: ProviderDescription


class DescribedProviders(Protocol):
    """Those that were described through the API; for `expected` see `application.kernel.versioned`."""

    async def versions(self) -> dict[str, int]:
        """Of all, by name."""
        ...

    async def many(self, names: Sequence[str]) -> list[Versioned[DescribedProvider]]:
        """Those that there are, in name order."""
        ...

    async def put(self, provider: DescribedProvider, *, expected: int | None) -> Versioned[DescribedProvider]:
        """Create or replace."""
        ...

    async def remove(self, name: str, *, expected: int) -> bool:
        """Remove one; False: it is not there.

        Raises:
            Conflict: it has another version.
        """
        ...


class DescribedGateways(Protocol):
    """The gateways of this process, as far as descriptions make them."""

    def configured(self, provider: str) -> bool:
        """Whether the configuration has this provider: no description takes its place."""
        ...

    def describe(self, provider: str, description: ProviderDescription | None) -> None:
        """Call it so from now on, or (None) not any more; calls under way end as they began."""
        ...
