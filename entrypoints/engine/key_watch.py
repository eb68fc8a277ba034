"""Checks that this process has the keys that the data is sealed under, and logs when that changes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from application.privacy.ports import KeyState
from entrypoints.engine.telemetry import Telemetry


@dataclass(slots=True, kw_only=True)
class KeyWatch:
    """Called every few seconds: others may begin to seal under a version that this process does not have."""

    check: Callable[[], Awaitable[KeyState]]
    telemetry: Telemetry
    _reported: str | None = None

    async def __call__(self) -> None:
        """Check once.

        Raises:
            StoreUnavailable: it is tried again next time.
        """
        trouble = (await self.check()).trouble
        if trouble is not None and trouble != self._reported:
            self.telemetry.trouble("keys.unavailable", reason=trouble)
        elif trouble is None and self._reported is not None:
            self.telemetry.wide("keys.available")
        self._reported = trouble
