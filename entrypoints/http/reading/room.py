"""Room for the bodies in hand: small ones come in always, large ones while there is room."""

from dataclasses import dataclass
from typing import Protocol

from entrypoints.http.problems import Refused

SMALL = 64 * 1024
"""Bytes of a body that are not counted: as many as there may be connections."""
ROOM = 64 * 1024 * 1024
"""Bytes of all others, as they take them once they are read: see `domain.kernel.weight`."""


class Guest(Protocol):
    """A request."""

    held: int
    """Bytes that its body takes; 0: too little to be counted."""


@dataclass(slots=True)
class Room:
    """Shared by all requests of a server."""

    most: int = ROOM
    held: int = 0

    def hold(self, guest: Guest, size: int) -> None:
        """So much is in hand of this one now; the only large one is let in whatever its size.

        Raises:
            Refused: the others leave too little.
        """
        if size <= max(SMALL, guest.held):
            return
        others = self.held - guest.held
        if others and others + size > self.most:
            detail = "too many large bodies are being worked on"
            raise Refused("overloaded", detail, {"Retry-After": "1", "Connection": "close"})
        self.held = others + size
        guest.held = size

    def leave(self, guest: Guest) -> None:
        """It is answered."""
        self.held -= guest.held
        guest.held = 0
