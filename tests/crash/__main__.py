"""The crash matrix: `make crash-matrix`, or `python -m tests.crash [--only NAME] [--runs N] [--at-once N]`.

A table on stdout, what is wrong below it; fails when there is anything.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from tests.crash.rig import NotPassed, Rig, play
from tests.crash.scenarios import SCENARIOS, Scenario, name_of
from tests.crash.verdict import Row, Verdict, judge
from tests.support.postgres import PostgresServer
from tests.support.rabbitmq import private_server
from tests.support.sandbox import Sandbox

TRIES = 3
HEAD = f"{'point':46}{'runs':>6}{'lost':>6}{'duplicated':>12}{'unknown':>9}{'late':>6}"


@asynccontextmanager
async def opened() -> AsyncIterator[Rig]:
    """Private servers, gone at the end."""
    with Sandbox() as sandbox:
        postgres = PostgresServer(sandbox.folder("postgres", in_memory=True))
        rabbitmq = private_server(sandbox, in_memory=True)
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in (postgres, rabbitmq)))
        yield Rig(sandbox=sandbox, postgres=postgres, rabbitmq=rabbitmq)
        rabbitmq.wipe()
        postgres.kill()


async def run(scenario: Scenario, rig: Rig, places: asyncio.Semaphore) -> Verdict:
    """One scenario in a shop of its own, in another one when its points were not passed."""
    missed: list[str] = []
    while len(missed) < TRIES:
        async with places, rig.shop() as shop:
            try:
                return await judge(await play(shop, scenario))
            except NotPassed as fault:
                missed.append(str(fault))
            except AssertionError as fault:
                return Verdict(rows=[], violations=[str(fault)])
    return Verdict(rows=[], violations=missed)


async def main(only: str, runs: int, at_once: int) -> int:
    """Run the matrix, print the table."""
    chosen = [scenario for scenario in SCENARIOS if only in name_of(scenario)]
    started = time.monotonic()
    places = asyncio.Semaphore(at_once)
    wrong: list[str] = []
    total = Row()
    print(HEAD, flush=True)
    async with opened() as rig:
        tries = [[asyncio.create_task(run(each, rig, places)) for _ in range(runs)] for each in chosen]
        for name, tasks in zip(map(name_of, chosen), tries, strict=True):
            verdicts = await asyncio.gather(*tasks)
            row = summed([row for verdict in verdicts for row in verdict.rows])
            total = summed([total, row])
            print(line(name, runs, row), flush=True)
            wrong += [f"{name}: {words}" for verdict in verdicts for words in verdict.violations]
            if row.lost:
                wrong.append(f"{name}: {row.lost} lost")
    print(line("all", runs * len(chosen), total))
    print(f"{len(wrong)} violations, {time.monotonic() - started:.0f} s", *wrong, sep="\n")
    return 1 if wrong or not chosen else 0


def summed(rows: Sequence[Row]) -> Row:
    """Member by member."""
    return Row(**{name: sum(getattr(row, name) for row in rows) for name in Row.__struct_fields__})


def line(name: str, runs: int, row: Row) -> str:
    """One line of the table."""
    return f"{name:46}{runs:>6}{row.lost:>6}{row.duplicated:>12}{row.unknown:>9}{row.late:>6}"


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="", help="part of a point's name")
    parser.add_argument("--runs", type=int, default=1, help="of each point")
    parser.add_argument("--at-once", type=int, default=6, help="shops side by side")
    given = parser.parse_args()
    sys.exit(asyncio.run(main(given.only, given.runs, given.at_once)))
