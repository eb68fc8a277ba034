"""Takes messages from a buffer, bounded by number and by size."""

from collections import deque

from application.broker.ports import Received


def take_within(here: deque[Received], limit: int, size: int) -> list[Received]:
    """Take from the front, up to `limit` messages with `size` bytes of bodies; the first in any case."""
    taken: list[Received] = []
    while here and len(taken) < limit:
        size -= len(here[0].body)
        if size < 0 and taken:
            break
        taken.append(here.popleft())
    return taken
