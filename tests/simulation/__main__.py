"""`make simulate SEEDS=100000`, or `python -m tests.simulation [--seeds N] [--first N] [--seed N]`.

Runs many seeds on all cores, prints and keeps those that fail; with `--seed` one, with its whole trace.
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor

from tests.simulation.kept import keep, kept
from tests.simulation.run import Report, simulate

EVERY = 500
"""Seeds between two lines of progress."""
SHOWN_MAX = 5


def reports(seeds: Iterable[int]) -> Iterator[Report]:
    """Of all seeds, on all cores."""
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(simulate, seeds, chunksize=5)


def many(first: int, count: int) -> int:
    """Run so many seeds after those that failed once; 1 when one of them fails."""
    started = time.monotonic()
    deliveries = calls = done = 0
    faults: Counter[str] = Counter()
    failed: list[int] = []
    for report in reports([*kept(), *range(first, first + count)]):
        done += 1
        deliveries += report.deliveries
        calls += report.calls
        faults += report.faults
        if report.violations:
            failed.append(report.seed)
            keep([report.seed])
            print(f"seed {report.seed} fails: make simulate SEED={report.seed}")
            for violation in report.violations[:SHOWN_MAX]:
                print(f"    {violation}", flush=True)
        if done % EVERY == 0:
            print(f"{done:,} seeds, {len(failed)} failed, {time.monotonic() - started:.0f} s", flush=True)
    print(
        f"{done:,} seeds, {deliveries:,} deliveries, {calls:,} calls, {faults.total():,} faults "
        f"in {time.monotonic() - started:.0f} s: {len(failed)} failed"
    )
    for kind, times in faults.most_common():
        print(f"    {times:>9,}  {kind}")
    return 1 if failed else 0


def one(seed: int) -> int:
    """Run a seed and print everything that happened."""
    report = simulate(seed, traced=True)
    print(*report.trace, sep="\n")
    print(f"seed {seed}: {report.deliveries} deliveries, {report.calls} calls, {report.seconds:.0f} s")
    print(f"{report.faults.total()} faults: {dict(report.faults.most_common())}")
    print(*report.violations or ["no violation"], sep="\n")
    return 1 if report.violations else 0


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1_000, help="how many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--seed", type=int, help="run this one alone and print its trace")
    given = parser.parse_args()
    return many(given.first, given.seeds) if given.seed is None else one(given.seed)


if __name__ == "__main__":
    sys.exit(main())
