"""Room for what is large: bytes that several tasks may hold together."""

import asyncio


class Room:
    """So many bytes; whoever comes first is served first."""

    def __init__(self, size: int) -> None:
        self.left = size
        self._order = asyncio.Lock()
        self._freed = asyncio.Event()

    async def take(self, size: int) -> None:
        """Wait until there is so much room, and take it; `size` is at most the whole."""
        async with self._order:
            while self.left < size:
                self._freed.clear()
                await self._freed.wait()
            self.left -= size

    def give(self, size: int) -> None:
        """Give some of it back."""
        self.left += size
        self._freed.set()
