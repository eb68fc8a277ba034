"""Which points are tried.  Two in a row: the second process dies while it sets right what the first left.

Before a life that ends in a replay, the dead letters are moved back to their lane, as an operator does.  In
one that ends at a promise, the database is away for a while.
"""

import itertools
from collections.abc import Sequence

from tests.crash.points import Point

Scenario = Sequence[Point]


def _scenarios(text: str) -> list[Scenario]:
    return [[Point.parse(point) for point in each.split(">")] for each in text.split()]


SCENARIOS = _scenarios(
    """
    before:accept:2 during:accept:2 inside:accept:2 after:accept:2 after:answer:2
    before:publish:2 half:publish during:publish:2 after:publish:2
    before:delete:2 half:delete after:delete:2
    before:publish>before:adopt before:publish>after:adopt before:publish>after:reload
    after:take:2 before:lease:2 after:lease:2
    before:begin:2 during:begin:2 after:begin:2
    before:call:3 after:call:3
    before:settle:2 during:settle:2 inside:settle:2 after:settle:2
    before:ack:2 half:ack after:ack:2
    after:begin:2>before:postpone after:begin:2>inside:postpone after:begin:2>after:postpone
    after:take-packed>after:take-packed>after:take-packed>before:reissue
    after:take-packed>after:take-packed>after:take-packed>after:reissue
    after:call:3>after:take-over after:begin:2>after:call
    before:settle-retry inside:settle-retry after:settle-retry
    before:publish-later after:publish-later after:arrive
    before:settle-dead inside:settle-dead after:settle-dead
    before:publish-dead after:publish-dead
    after:publish-dead>inside:replay after:publish-dead>after:replay
    before:settle-held inside:settle-held after:settle-held
    after:take-event before:mirror after:mirror
    before:ack-event half:ack-event after:ack-event
    before:park after:park
    before:promise:2 during:promise:2 after:promise:2
    after:take-promise before:alias after:alias before:ack-promise half:ack-promise after:ack-promise
    """
)


def name_of(scenario: Scenario) -> str:
    """As it is listed."""
    names = [str(point) for point in scenario]
    runs = [(name, len(list(same))) for name, same in itertools.groupby(names)]
    return " > ".join(name if times == 1 else f"{times} × {name}" for name, times in runs)
