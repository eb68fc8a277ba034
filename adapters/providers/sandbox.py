"""The sandbox: a provider in this process that accepts, refuses, defers or falls silent as it is told.

It decides in the middle of a call's latency: one half is the request's way, the other the answer's.  A
process killed in the first half has sent nothing, in the second it has sent and does not know it.
"""

import asyncio
from datetime import timedelta
from typing import assert_never

import msgspec

from adapters.providers import instructions
from adapters.providers.instructions import Behaviour
from adapters.providers.kit.ledger import Ledger
from application.kernel.ports import Clock, Dice
from application.provider.ports import Message
from domain.provider.outcome import Accepted, Deferred, Outcome, Refused, Unknown

_COME_BACK = timedelta(seconds=1)
_TAGS: dict[type, str] = {Accepted: "accepted", Refused: "refused", Deferred: "deferred", Unknown: "unknown"}


class SandboxOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How the sandbox treats messages whose address says nothing; rates are shares of 1."""

    latency: timedelta = timedelta()
    timeout: timedelta = timedelta(seconds=2)
    """How long a call waits for an answer that does not come."""
    call_max: timedelta = timedelta(seconds=30)
    """No call takes longer, whatever its address asks for."""
    refuse: float = 0.0
    defer: float = 0.0
    silent: float = 0.0


class SandboxGateway:
    """Implements `Gateway`; held to tests/contract/gateway.py.  Addresses with a meaning: `instructions`."""

    def __init__(
        self, *, options: SandboxOptions, clock: Clock, dice: Dice, ledger: Ledger | None = None
    ) -> None:
        self._options = options
        self._clock = clock
        self._dice = dice
        self._ledger = ledger

    async def send(self, message: Message) -> Outcome:
        """Make one call; its ledger line is written before the outcome is known to anybody."""
        told = instructions.read(message.address)
        latency = self._options.latency if told is None or told.latency is None else told.latency
        half = min(latency, self._options.call_max).total_seconds() / 2
        if half:
            await asyncio.sleep(half)
        behaviour = self._by_chance() if told is None else told.at(message.attempt)
        outcome = _outcome(behaviour, message)
        if self._ledger is not None:
            try:
                time = self._clock.now().isoformat()
                self._ledger.line(time, message.delivery, message.attempt, _TAGS[type(outcome)])
            except OSError as error:
                return Deferred(f"the sandbox's ledger cannot be written: {error.strerror}")
        if isinstance(outcome, Unknown):
            await asyncio.sleep(min(self._options.timeout, self._options.call_max).total_seconds())
        elif half:
            await asyncio.sleep(half)
        return outcome

    async def aclose(self) -> None:
        """Nothing is held open."""

    def _by_chance(self) -> Behaviour:
        refuse, defer, silent = self._options.refuse, self._options.defer, self._options.silent
        if not (refuse or defer or silent):
            return Behaviour.ACCEPT
        chance = self._dice.chance()
        if chance < refuse:
            return Behaviour.REFUSE
        if chance < refuse + defer:
            return Behaviour.DEFER
        return Behaviour.SILENT if chance < refuse + defer + silent else Behaviour.ACCEPT


def _outcome(behaviour: Behaviour, message: Message) -> Outcome:
    match behaviour:
        case Behaviour.ACCEPT:
            return Accepted(f"sandbox-{message.delivery}-{message.attempt}")
        case Behaviour.REFUSE:
            return Refused("the sandbox was told to refuse")
        case Behaviour.DEFER:
            return Deferred("the sandbox was told to defer")
        case Behaviour.THROTTLE:
            return Deferred("the sandbox was told to throttle", retry_after=_COME_BACK)
        case Behaviour.SILENT:
            return Unknown("the sandbox was told to fall silent")
        case _:
            assert_never(behaviour)
