"""Seeds that failed once: a run of many seeds begins with them, for ever."""

from collections.abc import Iterable
from pathlib import Path

FILE = Path(__file__).with_name("seeds.txt")


def kept(file: Path = FILE) -> list[int]:
    """In the order in which they were kept."""
    lines = file.read_text().splitlines() if file.exists() else []
    return [int(line.split("#")[0]) for line in lines if line.split("#")[0].strip()]


def keep(seeds: Iterable[int], file: Path = FILE) -> None:
    """Add those that are not there yet."""
    new = [seed for seed in seeds if seed not in kept(file)]
    if new:
        with file.open("a") as lines:
            lines.writelines(f"{seed}\n" for seed in new)
