"""A TCP proxy in front of a broker or a database, whose connections a test can cut.

async with Cord(vhost.amqp_url) as cord:
    link = Link([Endpoint.parse(Secret(cord.url))], name="test"); await link.open()
    cord.cut()
    cord.bar(); …; cord.unbar()                          # away for a while: nobody gets through
"""

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit


class Cord:
    """`url` is the given one, through the proxy."""

    def __init__(self, url: str) -> None:
        self._target = urlsplit(url)
        self._barred = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None] | None] = set()

    def cut(self) -> None:
        """Cut all connections, in both directions; new ones may be made."""
        for writer in self._writers:
            writer.transport.abort()

    def bar(self) -> None:
        """Cut all connections, and let no new ones through."""
        self._barred = True
        self.cut()

    def unbar(self) -> None:
        """Let connections through again."""
        self._barred = False

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        login = self._target.netloc.rpartition("@")[0]
        self.url = self._target._replace(netloc=f"{login}@127.0.0.1:{port}").geturl()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*filter(None, self._tasks), return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._barred:
            writer.transport.abort()
            return
        self._tasks.add(asyncio.current_task())
        inner_reader, inner_writer = await asyncio.open_connection(self._target.hostname, self._target.port)
        self._writers |= {writer, inner_writer}
        await asyncio.gather(_pump(reader, inner_writer), _pump(inner_reader, writer))
        self._writers -= {writer, inner_writer}


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()
