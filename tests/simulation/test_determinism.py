"""A seed is a run: the same again, line by line, whatever ran before it, in any process."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable

from tests.simulation.run import simulate

SEEDS = (7, 109, 156)
"""In 109 and 156 actors are cancelled together: what a set of them is ordered by shows."""
PRINT = """
from tests.simulation.test_determinism import digests
print(*digests({seeds}).values())
"""


def digests(seeds: Iterable[int]) -> dict[int, str]:
    """Of their traces."""
    traces = {seed: simulate(seed, traced=True).trace for seed in seeds}
    return {seed: hashlib.sha256("\n".join(trace).encode()).hexdigest() for seed, trace in traces.items()}


def test_again_is_the_same_in_any_order_and_another_seed_is_not() -> None:
    first = digests(SEEDS)
    assert digests(reversed(SEEDS)) == first
    assert len(set(first.values())) == len(SEEDS)


def test_another_process_with_other_hashes_does_the_same() -> None:
    done = [
        subprocess.run(
            [sys.executable, "-c", PRINT.format(seeds=SEEDS)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for hash_seed in ("1", "2")
    ]
    assert done == [list(digests(SEEDS).values())] * 2
