"""Small faults that hit any request or message at random: lost, late, doubled, unconfirmed.

All of it is drawn from one seed.  `count` is what went wrong, by kind.  The great faults have their times in
`tests.simulation.faults`.
"""

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from random import Random


class Part(Enum):
    """What a process stands on."""

    STORE = "store"
    BROKER = "broker"


class Lost(Enum):
    """What does not arrive."""

    NOTHING = "nothing"
    REQUEST = "request"
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Transit:
    """How one request travels, in seconds."""

    there: float
    back: float
    """Mostly 0: a run is the faster for it."""
    lost: Lost = Lost.NOTHING


class MessageFate(Enum):
    """What becomes of one message that is published."""

    FINE = "fine"
    LOST = "message lost"
    UNCONFIRMED = "message unconfirmed"
    DOUBLED = "message doubled"
    DELAYED = "message delayed"


@dataclass(slots=True)
class RandomFaults:
    """Things fail until `calm` is called."""

    chance: Random
    failing: bool = True
    away: set[Part] = field(default_factory=set)
    """Parts that are down for everybody."""
    provider_down: bool = False
    login_refused: bool = False
    """By the provider, to everybody: somebody has changed the password."""
    count: Counter[str] = field(default_factory=Counter)
    rough: float = 1.0
    """How likely small mishaps are, as a multiple: differs from run to run."""

    def transit(self, part: Part) -> Transit:
        """Of one request to a part and its answer."""
        chance = self.chance
        there, back = chance.expovariate(200), max(0.0, chance.uniform(-0.02, 0.01))
        if not self.failing:
            return Transit(there, back)
        dice = chance.random() / self.rough
        if dice < 0.008:
            return Transit(there, back, self._counted(Lost.REQUEST, f"{part.value} request lost"))
        if dice < 0.016:
            return Transit(there, back, self._counted(Lost.ANSWER, f"{part.value} answer lost"))
        if dice < 0.024:
            self.count[f"{part.value} slow"] += 1
            return Transit(there + self._long(), back)
        if dice < 0.032:
            self.count[f"{part.value} slow"] += 1
            return Transit(there, back + self._long())
        return Transit(there, back)

    def message(self) -> MessageFate:
        """Of one message that is published."""
        if not self.failing:
            return MessageFate.FINE
        dice = self.chance.random() / self.rough
        for limit, kind in (
            (0.01, MessageFate.LOST),
            (0.02, MessageFate.UNCONFIRMED),
            (0.04, MessageFate.DOUBLED),
            (0.06, MessageFate.DELAYED),
        ):
            if dice < limit:
                self.count[kind.value] += 1
                return kind
        return MessageFate.FINE

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        self.failing = False
        self.away.clear()
        self.provider_down = False
        self.login_refused = False

    def _long(self) -> float:
        """Now and then beyond a lease."""
        return self.chance.uniform(0.2, 6) if self.chance.random() < 0.7 else self.chance.uniform(6, 25)

    def _counted(self, lost: Lost, kind: str) -> Lost:
        self.count[kind] += 1
        return lost
