"""The simulation finds bugs: each of these is switched on, and must be seen within some seeds."""

from functools import cache

import pytest

from tests.simulation.planted import BUGS, planted
from tests.simulation.run import Report, simulate

SEEDS = (0, 1, 2, 3, 40, 22, 21, 16, 11, 8, *range(4, 60))
"""Those that show the bugs first; should a change make it others, the rest is looked through."""


def first_failing() -> Report | None:
    """Of the first seed that fails."""
    return next((report for report in map(simulate, SEEDS) if report.violations), None)


@cache
def is_sound(seed: int) -> bool:
    """Without a bug."""
    return not simulate(seed).violations


@pytest.mark.parametrize("bug", BUGS)
def test_it_is_found(bug: str) -> None:
    with planted(bug):
        found = first_failing()
    assert found, f"not seen in {len(SEEDS)} seeds"
    assert is_sound(found.seed), "the seed fails without the bug, too"
