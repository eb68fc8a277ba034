"""Memory for the bodies in hand: small ones are always read, large ones while there is memory for them."""

from dataclasses import dataclass
from typing import Protocol

from entrypoints.http.problems.problem import Rejected

SMALL = 64 * 1024
"""Bytes of a body that are not counted: as many as there may be connections."""
MEMORY_MAX = 64 * 1024 * 1024
"""Bytes of all others, as they take them once they are read: see `domain.kernel.weight`."""


class BodyHolder(Protocol):
    """A request, as the memory sees it."""

    held: int
    """Bytes that its body takes; 0: too little to be counted."""


@dataclass(slots=True)
class BodyMemory:
    """Shared by all requests of a server."""

    most: int = MEMORY_MAX
    held: int = 0

    def reserve(self, request: BodyHolder, size: int) -> None:
        """Reserve `size` bytes for a request, in place of what it held; the only large one always gets them.

        Raises:
            Rejected: the other requests leave too little.
        """
        if size <= max(SMALL, request.held):
            return
        others = self.held - request.held
        if others and others + size > self.most:
            detail = "too many large bodies are being worked on"
            raise Rejected("overloaded", detail, {"Retry-After": "1", "Connection": "close"})
        self.held = others + size
        request.held = size

    def release(self, request: BodyHolder) -> None:
        """Give back what a request has reserved: it is answered."""
        self.held -= request.held
        request.held = 0
