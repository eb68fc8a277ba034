"""What an address asks of a provider that sends nothing: the sandbox, or a simulated provider.

    address        phone ends in   what happens
    refuse@…       999100          refused for good
    defer@…        999200          deferred, every time
    defer-2@…      999202          deferred on attempts 1 and 2, then accepted
    throttle@…     999300          deferred with "come back in 1 s", every time
    throttle-2@…   999302          the same on attempts 1 and 2
    silent@…       999400          no answer: unknown, every time
    silent-2@…     999402          the same on attempts 1 and 2
    slow-500@…     –               accepted after 500 ms (without a number: 1 s), or the bound of calls
    all others                     accepted

What follows a + does not count (`defer-2+basket7@shop.test`), nor does the domain.  An address without an @,
such as a user's id, is read as if it stood before one.
"""

import re
from datetime import timedelta
from enum import StrEnum

import msgspec

SLOW = timedelta(seconds=1)


class Behaviour(StrEnum):
    """What is done with a message."""

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
    """None: whatever is usual."""

    def on(self, attempt: int) -> Behaviour:
        """What to do on this attempt (1 is the first)."""
        over = self.attempts is not None and attempt > self.attempts
        return Behaviour.ACCEPT if over else self.behaviour


_WORD = re.compile(r"(refuse|defer|throttle|silent|slow)(?:-(\d{1,5}))?(?:\+[^@]*)?(?:@.*)?")
_PHONE = re.compile(r"\+?\d*999([1-4])(\d\d)")
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
            latency = SLOW if number is None else timedelta(milliseconds=number)
            return Instruction(Behaviour.ACCEPT, latency=latency)
        return Instruction(Behaviour(word), attempts=number)
    if match := _PHONE.fullmatch(address):
        return Instruction(_BY_DIGIT[match[1]], attempts=int(match[2]) or None)
    return None
