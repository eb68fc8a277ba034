"""The sandbox: a provider in this process that does with a message what its address asks for.

`domain.provider.instruction` has the addresses; what asks for nothing is accepted, or as the settings' shares
have it.

It decides in the middle of a call's latency: one half is the request's way, the other the answer's.  A
process killed in the first half has sent nothing, in the second it has sent and does not know it.
"""

import asyncio
from datetime import timedelta
from typing import Annotated, ClassVar, assert_never

from msgspec import Meta

from adapters.providers.kit.settings import ProviderContext, ProviderSettings
from application.provider.ports import OutboundMessage
from domain.device.device import PushService
from domain.kernel.bounds import Share
from domain.provider.capabilities import Capabilities
from domain.provider.instruction import Behaviour, instruction_in
from domain.provider.outcome import Accepted, Deferred, Outcome, Refused, Unknown

_RETRY_AFTER = timedelta(seconds=1)
_TAGS: dict[type, str] = {Accepted: "accepted", Refused: "refused", Deferred: "deferred", Unknown: "unknown"}


class SandboxSettings(ProviderSettings, frozen=True, tag="sandbox"):
    """Sends nothing: accepts, refuses, defers or falls silent as the address says.

    The shares are for messages whose address says nothing.
    """

    capabilities: ClassVar = Capabilities(push_services=tuple(PushService))

    latency: Annotated[timedelta, Meta(description="how long every call takes")] = timedelta()
    timeout: Annotated[
        timedelta, Meta(description="how long a call waits for an answer that does not come")
    ] = timedelta(seconds=2)
    refuse: Annotated[Share, Meta(description="share of messages that are refused for good")] = 0.0
    defer: Annotated[Share, Meta(description="share of messages that are deferred")] = 0.0
    silent: Annotated[Share, Meta(description="share of messages that are never answered")] = 0.0

    def gateway(self, context: ProviderContext) -> "SandboxGateway":
        """See `ProviderSettings`."""
        return SandboxGateway(self, context)


class SandboxGateway:
    """Implements `ProviderGateway`; held to tests/contract/gateway.py."""

    def __init__(self, settings: SandboxSettings, context: ProviderContext) -> None:
        self._settings = settings
        self._context = context
        self._timeout = min(settings.timeout, context.call_max).total_seconds()

    async def send(self, message: OutboundMessage) -> Outcome:
        """Make one call; its ledger line is written before the outcome is known to anybody."""
        asked = instruction_in(message.address)
        latency = self._settings.latency if asked is None or asked.latency is None else asked.latency
        half = min(latency, self._context.call_max).total_seconds() / 2
        if half:
            await asyncio.sleep(half)
        behaviour = self._by_chance() if asked is None else asked.on(message.attempt)
        outcome = _outcome(behaviour, message)
        if self._context.ledger is not None:
            try:
                time = self._context.clock.now().isoformat()
                self._context.ledger.line(time, message.delivery, message.attempt, _TAGS[type(outcome)])
            except OSError as error:
                return Deferred(f"the sandbox's ledger cannot be written: {error.strerror}")
        if isinstance(outcome, Unknown):
            await asyncio.sleep(self._timeout)
        elif half:
            await asyncio.sleep(half)
        return outcome

    async def aclose(self) -> None:
        """Nothing is held open."""

    def _by_chance(self) -> Behaviour:
        refuse, defer, silent = self._settings.refuse, self._settings.defer, self._settings.silent
        if not (refuse or defer or silent):
            return Behaviour.ACCEPT
        chance = self._context.dice.chance()
        if chance < refuse:
            return Behaviour.REFUSE
        if chance < refuse + defer:
            return Behaviour.DEFER
        return Behaviour.SILENT if chance < refuse + defer + silent else Behaviour.ACCEPT


def _outcome(behaviour: Behaviour, message: OutboundMessage) -> Outcome:
    match behaviour:
        case Behaviour.ACCEPT:
            return Accepted(f"sandbox-{message.delivery}-{message.attempt}")
        case Behaviour.REFUSE:
            return Refused("the sandbox was told to refuse")
        case Behaviour.DEFER:
            return Deferred("the sandbox was told to defer")
        case Behaviour.THROTTLE:
            return Deferred("the sandbox was told to throttle", retry_after=_RETRY_AFTER)
        case Behaviour.SILENT:
            return Unknown("the sandbox was told to fall silent")
        case _:
            assert_never(behaviour)
