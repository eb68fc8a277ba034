"""Calls to one host at a time, where addresses name hosts: one that hangs must not take every connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

WAIT_MAX = 1.0
"""Seconds that a call waits for a place.  Later it is not made: the facts that cleared it are too old."""


class NoPlace(Exception):
    """No place became free in time."""


@dataclass(slots=True)
class _Host:
    places: asyncio.Semaphore
    callers: int = 0
    """Who has a place, or waits for one."""


@dataclass(slots=True)
class HostPlaces:
    """Remembers those hosts that are called now."""

    most: int
    wait_max: float = WAIT_MAX
    _hosts: dict[str, _Host] = field(default_factory=dict)

    @asynccontextmanager
    async def of(self, url: str) -> AsyncIterator[None]:
        """A place at the URL's host.

        Raises:
            NoPlace: none became free in time.
        """
        name = urlsplit(url).netloc.rpartition("@")[2].lower()
        host = self._hosts.setdefault(name, _Host(asyncio.Semaphore(self.most)))
        host.callers += 1
        try:
            try:
                async with asyncio.timeout(self.wait_max):
                    await host.places.acquire()
            except TimeoutError:
                raise NoPlace("the host has as many calls as it may") from None
            try:
                yield
            finally:
                host.places.release()
        finally:
            host.callers -= 1
            if not host.callers:
                del self._hosts[name]
