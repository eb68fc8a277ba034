"""Looks after the keys of this process: whether they are those of the data, and says when that changes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from application.privacy.ports import KeyState
from entrypoints.engine.telemetry import Telemetry


@dataclass(slots=True, kw_only=True)
class KeyWatch:
    """A recurring work; others may begin to seal under a version that this process does not have."""

    check: Callable[[], Awaitable[KeyState]]
    telemetry: Telemetry
    _said: str | None = None

    async def __call__(self) -> None:
        """Check once.

        Raises:
            StoreUnavailable: next time.
        """
        trouble = (await self.check()).trouble
        if trouble is not None and trouble != self._said:
            self.telemetry.trouble("keys.unavailable", reason=trouble)
        elif trouble is None and self._said is not None:
            self.telemetry.wide("keys.available")
        self._said = trouble
