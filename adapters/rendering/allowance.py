"""Work that rendering may do, counted and not timed: a template and its data give the same answer on a busy
machine.  Time only decides where the work is done.
"""

from math import inf
from time import perf_counter

from jinja2.runtime import Context
from jinja2.utils import missing

from domain.kernel.json_values import Json

WORK_MAX = 500_000
"""What one render may do in all its parts, in units: a node visited, a character handled.  A unit takes at
most half a microsecond (a test measures it), so this is a quarter of a second."""
SLICE = 2_000
"""Units between two looks at the clock."""


class WorkExceeded(Exception):
    """The allowance of work, or of time, is used up."""


class Variables(dict[str, Json]):
    """The data of one render; for what is not there it gives Jinja's `missing`."""

    def __missing__(self, name: str) -> Json:
        return missing


class Allowance:
    """Work that may still be done, by one render or by several together.

    Args:
        until: where `perf_counter` ends it, looked at after every slice.
    """

    __slots__ = ("left", "until")

    def __init__(self, units: int = WORK_MAX, until: float = inf) -> None:
        self.left = units
        self.until = until

    def take(self, need: int) -> int:
        """A slice, or more if more is needed.

        Raises:
            WorkExceeded: there is not enough, or the time is over.
        """
        if need > self.left or perf_counter() > self.until:
            raise WorkExceeded
        granted = min(self.left, max(need, SLICE))
        self.left -= granted
        return granted


class RenderContext(Context):
    """Jinja's context of one render: its variables, and the units it may spend before it asks for more."""

    def __init__(self, variables: Variables, allowance: Allowance) -> None:
        # What compiled code asks for in this language, which has no blocks, globals or evaluation contexts:
        # making the rest took longer than many a template.
        self.vars = {}
        self.exported_vars = set()
        self.resolve_or_missing = variables.__getitem__  # type: ignore[assignment]
        self.allowance = allowance
        self.left = 0

    def spend(self, units: int) -> None:
        """Count work that is about to be done.

        Raises:
            WorkExceeded: there is not so much left.
        """
        self.left -= units
        if self.left < 0:
            self.left += self.allowance.take(-self.left)

    def close(self) -> None:
        """Give back what was not spent."""
        self.allowance.left += max(self.left, 0)
        self.left = 0
