"""Whether the database answers, for readiness: asked at most once a second, with a bounded wait."""

import asyncio
from dataclasses import dataclass

from adapters.postgres.core.database import Database
from adapters.postgres.core.readiness import can_accept
from application.kernel.ports import Clock
from domain.kernel.errors import PosthornError

ASK_MAX = 1.5
"""Seconds to wait for an answer."""
FRESH = 1.0
"""Seconds for which an answer is used again."""
_SILENT = "PostgreSQL: no answer"


@dataclass(slots=True, kw_only=True)
class StoreProbe:
    """The question runs in a task of its own: when the database hangs, `__call__` answers all the same."""

    database: Database
    clock: Clock
    _asked: float = float("-inf")
    _asking: "asyncio.Task[str] | None" = None

    async def __call__(self) -> str:
        """`ok`, or what is wrong with the database."""
        now = self.clock.monotonic()
        if self._asking is None or (self._asking.done() and now - self._asked > FRESH):
            self._asked = now
            self._asking = asyncio.create_task(self._ask())
        await asyncio.wait([self._asking], timeout=ASK_MAX)
        return self._asking.result() if self._asking.done() else _SILENT

    async def _ask(self) -> str:
        if (silent := self.database.silent()) is not None:
            return silent
        try:
            async with asyncio.timeout(ASK_MAX):
                await can_accept(self.database)
        except TimeoutError:
            return _SILENT
        except Exception as away:  # noqa: BLE001  whatever it is, it is not ok
            return str(away) if isinstance(away, PosthornError) else type(away).__name__
        return "ok"
