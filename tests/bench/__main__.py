"""Run the benchmarks: one JSON object a line on stdout, a table on stderr.

python -m tests.bench [--only NAME]
"""

import argparse
import asyncio
import importlib
import pkgutil
import sys
import time

import msgspec

import tests.bench
from tests.bench.world import CONDITIONS, Bench, Result, opened


def benchmarks() -> dict[str, Bench]:
    """Every `bench_*` coroutine function of the modules `tests.bench.measure_*`, by its figures."""
    found: dict[str, Bench] = {}
    for info in pkgutil.iter_modules(tests.bench.__path__):
        if info.name.startswith("measure_"):
            module = importlib.import_module(f"tests.bench.{info.name}")
            for name, member in vars(module).items():
                if name.startswith("bench_"):
                    names = getattr(member, "names", (name.removeprefix("bench_"),))
                    found |= dict.fromkeys(names, member)
    return found


async def run(only: str | None) -> int:
    """Run them one after the other."""
    chosen = list(dict.fromkeys(bench for name, bench in benchmarks().items() if only in (None, name)))
    if not chosen:
        print(f"no benchmark '{only}': there are {', '.join(benchmarks())}", file=sys.stderr)
        return 2
    results: list[Result] = []
    async with opened() as world:
        for bench in chosen:
            started = time.monotonic()
            measured = await bench(world)
            for result in measured if isinstance(measured, list) else [measured]:
                result.detail |= {**CONDITIONS, "took_s": round(time.monotonic() - started, 1)}
                results.append(result)
                print(msgspec.json.encode(result).decode(), flush=True)
                line = f"{result.name}: {result.value:,.0f} {result.unit} (goal {result.goal})"
                print(line, file=sys.stderr)
    print(f"\n{'benchmark':38}{'figure':>12}  {'unit':18}goal", file=sys.stderr)
    for result in results:
        print(f"{result.name:38}{result.value:>12,.0f}  {result.unit:18}{result.goal}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", help="the name of one benchmark")
    sys.exit(asyncio.run(run(parser.parse_args().only)))
