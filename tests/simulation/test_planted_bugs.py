"""The simulation finds bugs: each of these is switched on, and must be seen within some seeds."""

from itertools import count

import pytest

from tests.simulation.planted import BUGS, planted
from tests.simulation.run import Report, simulate

SEEDS_MAX = 40


def first_failing() -> Report:
    """The first seed that fails."""
    reports = (simulate(seed) for seed in count())
    return next(report for report in reports if report.violations or report.seed >= SEEDS_MAX)


@pytest.mark.parametrize("bug", BUGS)
def test_it_is_found(bug: str) -> None:
    with planted(bug):
        found = first_failing()
    assert found.violations, f"not seen in {SEEDS_MAX} seeds"
    assert not simulate(found.seed).violations, "the seed fails without the bug, too"
