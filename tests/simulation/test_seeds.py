"""Whatever happens, the promises hold: three hundred worlds, none like another."""

import pytest

from tests.simulation.faults import FAULTS_MIN
from tests.simulation.kept import keep, kept
from tests.simulation.run import simulate

SEEDS = 300
TOGETHER = 25
DELIVERIES_MIN = 200


@pytest.mark.parametrize("first", range(0, SEEDS, TOGETHER))
def test_the_promises_hold(first: int) -> None:
    _hold(range(first, first + TOGETHER))


@pytest.mark.parametrize("seed", [seed for seed in kept() if seed >= SEEDS])
def test_what_failed_once_holds_now(seed: int) -> None:
    _hold([seed])


def _hold(seeds: "range | list[int]") -> None:
    reports = [simulate(seed) for seed in seeds]
    failed = {report.seed: report.violations for report in reports if report.violations}
    keep(failed)
    assert not failed, "\n".join(
        f"seed {seed} (make simulate SEED={seed}): {'; '.join(found[:5])}" for seed, found in failed.items()
    )
    assert min(report.deliveries for report in reports) >= DELIVERIES_MIN
    assert min(report.faults.total() for report in reports) >= FAULTS_MIN
