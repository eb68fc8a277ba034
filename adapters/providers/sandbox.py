"""The sandbox: a provider in this process that accepts, refuses, defers or falls silent as the address asks.

    address        phone ends in   what happens
    refuse@…       999100          refused for good
    defer@…        999200          deferred, every time
    defer-2@…      999202          deferred on attempts 1 and 2, then accepted
    throttle@…     999300          deferred with "come back in 1 s", every time
    throttle-2@…   999302          the same on attempts 1 and 2
    silent@…       999400          no answer: unknown, every time
    silent-2@…     999402          the same on attempts 1 and 2
    slow-500@…     –               accepted after 500 ms (without a number: 1 s), or the bound of calls
    all others                     accepted, or as the settings' shares have it

What follows a + does not count (`defer-2+basket7@shop.test`), nor does the domain.  An address without an @,
such as a user's id, is read as if it stood before one.

It decides in the middle of a call's latency: one half is the request's way, the other the answer's.  A
process killed in the first half has sent nothing, in the second it has sent and does not know it.
"""

import asyncio
import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, assert_never

import msgspec
from msgspec import Meta

from adapters.providers.kit.settings import ProviderContext, ProviderSettings
from application.provider.ports import OutboundMessage
from domain.kernel.bounds import Share
from domain.provider.capabilities import Capabilities
from domain.provider.outcome import Accepted, Deferred, Outcome, Refused, Unknown

_RETRY_AFTER = timedelta(seconds=1)
_SLOW = timedelta(seconds=1)
_TAGS: dict[type, str] = {Accepted: "accepted", Refused: "refused", Deferred: "deferred", Unknown: "unknown"}


class SandboxSettings(ProviderSettings, frozen=True, tag="sandbox"):
    """Sends nothing: accepts, refuses, defers or falls silent as the address says.

    The shares are for messages whose address says nothing.
    """

    capabilities: ClassVar = Capabilities()

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


class Behaviour(StrEnum):
    """What the sandbox does with a message."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    DEFER = "defer"
    THROTTLE = "throttle"
    SILENT = "silent"


class Instruction(msgspec.Struct, frozen=True):
    """What an address asks for."""

    behaviour: Behaviour
    attempts: int | None = None
    """On so many first attempts; None: on all."""
    latency: timedelta | None = None
    """None: the sandbox's own."""

    def on(self, attempt: int) -> Behaviour:
        """What to do on this attempt (1 is the first)."""
        over = self.attempts is not None and attempt > self.attempts
        return Behaviour.ACCEPT if over else self.behaviour


_WORD = re.compile(r"(refuse|defer|throttle|silent|slow)(?:-(\d{1,5}))?(?:\+[^@]*)?(?:@.*)?")
_PHONE = re.compile(r"\+\d*999([1-4])(\d\d)")
_BY_DIGIT = {
    "1": Behaviour.REFUSE,
    "2": Behaviour.DEFER,
    "3": Behaviour.THROTTLE,
    "4": Behaviour.SILENT,
}


def instruction_in(address: str) -> Instruction | None:
    """What an address asks for, or None when it asks for nothing."""
    if match := _WORD.fullmatch(address):
        word, number = match[1], None if match[2] is None else int(match[2])
        if word == "slow":
            latency = _SLOW if number is None else timedelta(milliseconds=number)
            return Instruction(Behaviour.ACCEPT, latency=latency)
        return Instruction(Behaviour(word), attempts=number)
    if match := _PHONE.fullmatch(address):
        return Instruction(_BY_DIGIT[match[1]], attempts=int(match[2]) or None)
    return None


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
