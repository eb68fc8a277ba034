"""A seed is a run: the same again, line by line, in any process."""

import hashlib
import os
import subprocess
import sys

from tests.simulation.run import simulate

SEED = 7
PRINT = """
import hashlib
from tests.simulation.run import simulate
print(hashlib.sha256("\\n".join(simulate({seed}, traced=True).trace).encode()).hexdigest())
"""


def digest(seed: int) -> str:
    return hashlib.sha256("\n".join(simulate(seed, traced=True).trace).encode()).hexdigest()


def test_again_is_the_same() -> None:
    assert digest(SEED) == digest(SEED) != digest(SEED + 1)


def test_another_process_with_other_hashes_does_the_same() -> None:
    done = [
        subprocess.run(
            [sys.executable, "-c", PRINT.format(seed=SEED)],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hash_seed in ("1", "2")
    ]
    assert done == [digest(SEED)] * 2
