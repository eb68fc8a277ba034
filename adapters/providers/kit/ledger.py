"""The ledger: what a provider of our own was given, one JSON line for each call.

A line is in the kernel's hands, whole, before the caller learns the outcome: it outlives kill -9 of the
process in the instruction after.  Several processes may append to one file.
"""

import os
from pathlib import Path
from uuid import UUID


class Ledger:
    """An append-only file; `line` costs one system call."""

    def __init__(self, path: Path) -> None:
        """Open the file, which is made if it does not exist.

        Raises:
            OSError: it cannot be opened.
        """
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)

    def line(self, time: str, delivery: UUID, attempt: int, outcome: str) -> None:
        """Write one line: no buffer, so that nothing is lost with the process.

        Raises:
            OSError: it is not written, or not whole.
        """
        line = f'{{"time":"{time}","delivery":"{delivery}","attempt":{attempt},"outcome":"{outcome}"}}\n'
        if os.write(self._fd, line.encode()) != len(line):
            raise OSError("the ledger took half a line: is the disk full?")

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)
