"""How fast this machine is now, so that a bound of processor time means work and not the machine's day."""

import time

REFERENCE = 0.0008
"""Processor seconds of `_work` on the machine that the bounds were set on."""


def slowness() -> float:
    """How many times slower than the reference this thread runs now; at least 1."""
    return max(1.0, min(_seconds() for _ in range(5)) / REFERENCE)


def _seconds() -> float:
    began = time.thread_time()
    _work()
    return time.thread_time() - began


def _work() -> int:
    """A bit of everything that Python code does: calls, attributes, strings, dictionaries."""
    seen: dict[str, int] = {}
    for n in range(2_000):
        word = f"{n % 97}-{n}".upper()
        seen[word[:3]] = seen.get(word[:3], 0) + len(word.split("-"))
    return sum(seen.values())
