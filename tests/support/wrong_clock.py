"""The product on a machine whose clock is wrong: `python -m tests.support.wrong_clock ROLE`."""

import os
import sys
from datetime import UTC, datetime, timedelta
from time import monotonic

from config.lifecycle import built, start_logging
from config.load import load
from entrypoints.cli.shell import run_process
from entrypoints.processes.run import run_container

AHEAD = "WRONG_CLOCK_AHEAD"
"""Seconds by which it is ahead."""


class WrongClock:
    """Implements `Clock`."""

    def __init__(self, ahead: timedelta) -> None:
        self._ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self._ahead

    def monotonic(self) -> float:
        return monotonic()


def main(role: str) -> None:
    """Run a role as `posthorn` does."""
    settings = load({name: value for name, value in os.environ.items() if name != AHEAD}).settings
    start_logging(settings)
    container = built(settings)
    container.kernel.machine.override(WrongClock(timedelta(seconds=float(os.environ[AHEAD]))))
    sys.exit(0 if run_process(lambda: run_container(role, container)) else 1)


if __name__ == "__main__":
    main(sys.argv[1])
