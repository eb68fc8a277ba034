"""The live list: what the terminal and the page show, one row per delivery or absorbed repetition."""

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable

import msgspec

KEPT_MAX = 400
_BEHIND_MAX = 1000

WORKING = frozenset({"accepted", "sending", "deferred"})
"""States after which something more happens by itself."""


class Row(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One line of the list; it changes while its message is on its way."""

    id: str
    at: str
    """Wall clock, HH:MM:SS."""
    shop_time: str
    """The shop's own day, HH:MM; empty for what came over the API."""
    event: str
    what: str
    """Type of the notification."""
    who: str
    account: str
    """The shop's id of a customer, or `guest`."""
    channel: str
    status: str
    attempts: int = 0
    ms: float | None = None
    """From the event's publishing, or the request's acceptance, to the provider's answer."""
    reason: str | None = None
    mail: str | None = None
    """Id of the message in the sink, or among those that are `shown`."""
    provider: str | None = None
    """Who carried it; None: nobody yet."""


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is no e-mail, as its recipient sees it."""

    id: str
    channel: str
    provider: str
    to: str
    title: str | None
    text: str | None
    link: str | None


class Feed:
    """Keeps the last rows and passes every change to all listeners."""

    def __init__(self) -> None:
        self.rows: OrderedDict[str, Row] = OrderedDict()
        self.shown: OrderedDict[str, Shown] = OrderedDict()
        self._listeners: set[asyncio.Queue[Row | None]] = set()
        self._watchers: list[Callable[[Row], None]] = []
        self._closed = False

    def watch(self, watcher: Callable[[Row], None]) -> None:
        """Call this at every change."""
        self._watchers.append(watcher)

    def put(self, row: Row) -> None:
        """A new row, or one that changed."""
        self.rows[row.id] = row
        while len(self.rows) > KEPT_MAX:
            self.rows.popitem(last=False)
        for watcher in self._watchers:
            watcher(row)
        for listener in self._listeners:
            if listener.full():  # its browser is asleep: it loads everything again when it wakes
                listener.get_nowait()
            listener.put_nowait(row)

    def show(self, message: Shown) -> None:
        """It has come to its recipient."""
        self.shown[message.id] = message
        while len(self.shown) > KEPT_MAX:
            self.shown.popitem(last=False)

    def close(self) -> None:
        """End every stream: an open one would delay the shutdown of the server."""
        self._closed = True
        for listener in self._listeners:
            if listener.full():
                listener.get_nowait()
            listener.put_nowait(None)

    async def stream(self) -> AsyncIterator[Row]:
        """All rows that are kept, then every change, until closed."""
        listener: asyncio.Queue[Row | None] = asyncio.Queue(_BEHIND_MAX)
        self._listeners.add(listener)
        try:
            for row in list(self.rows.values()):
                yield row
            while not self._closed and (change := await listener.get()) is not None:
                yield change
        finally:
            self._listeners.discard(listener)
