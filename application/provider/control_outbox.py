"""What is to be told to the other processes, until somebody tells it."""

import asyncio
from dataclasses import dataclass, field

from application.provider.steering import ControlMessage

WAITING_MAX = 100


@dataclass(slots=True)
class ControlOutbox:
    """Implements `ControlSender`: keeps what is to be told until the actor has told it."""

    _waiting: "asyncio.Queue[ControlMessage]" = field(default_factory=lambda: asyncio.Queue(WAITING_MAX))

    def notify(self, message: ControlMessage) -> None:
        """See `ControlSender`; while the broker is away the oldest are forgotten."""
        if self._waiting.full():
            self._waiting.get_nowait()
        self._waiting.put_nowait(message)

    async def next(self) -> ControlMessage:
        """Wait for one."""
        return await self._waiting.get()
