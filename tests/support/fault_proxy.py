"""A TCP proxy in front of a broker or a database that can fail in every way a network can.

async with Cord(vhost.amqp_url) as cord:
    link = Link([Endpoint.parse(Secret(cord.url))], name="test"); await link.open()
    cord.cut()                                           # all connections; new ones get through
    cord.bar(); …; cord.unbar()                          # away for a while: nobody gets through
    cord.strike(Fault.RESET)                             # in mid-stream: what stands now
    cord.greet(Fault.HANG_UP); …; cord.heal()            # at connect: whoever comes from now on
    cord.greet(Fault.GARBAGE, after=20)                  # … once 20 bytes of the answer went through
    cord.black_hole(); …; cord.heal()                    # packets are dropped, nothing is reset or refused

It runs in a thread of its own, as fast as a real one however busy the test's loop is.  After `heal` what is
silent or slow goes on where it stood, as TCP does when packets come through again.
"""

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from enum import StrEnum
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

PACE = 0.01
"""Seconds between two bytes of a slow answer."""
RUBBISH = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
CHUNK = 65_536


class Fault(StrEnum):
    """What becomes of a connection."""

    HANG_UP = "hang up"
    """Its end comes in order (FIN), as a proxy does whose server is down."""
    RESET = "reset"
    SILENT = "silent"
    """It stands, and nothing passes any more."""
    GARBAGE = "garbage"
    """Something else than the server answers, and then the server."""
    SLOW = "slow"
    """The answer comes byte by byte."""


class Cord:
    """`url` is the given one, through the proxy; `taken` counts the connections."""

    def __init__(self, url: str, *, garbage: bytes = RUBBISH, pace: float = PACE) -> None:
        self.garbage = garbage
        self.pace = pace
        self.taken = 0
        self._target = urlsplit(url)
        self._greeting: tuple[Fault, int] | None = None
        self._wires: set[_Wire] = set()
        self._fillers: list[socket.socket] = []

    def cut(self) -> None:
        """Cut all connections, in both directions; new ones may be made."""
        self.strike(Fault.HANG_UP)

    def bar(self) -> None:
        """Cut all connections, and let no new ones through."""
        self.greet(Fault.HANG_UP)
        self.cut()

    def unbar(self) -> None:
        """Let connections through again."""
        self.heal()

    def strike(self, fault: Fault) -> None:
        """Do it to all connections that stand."""
        self._do(lambda: [wire.strike(fault) for wire in list(self._wires)])

    def greet(self, fault: Fault, *, after: int = 0) -> None:
        """Do it to new connections, once so many bytes of the server's answer have been passed on."""
        self._greeting = fault, after

    def black_hole(self) -> None:
        """Drop packets: what stands falls silent, and who connects gets no answer at all."""
        self.strike(Fault.SILENT)
        self._do(self._drop)

    def heal(self) -> None:
        """From now on everything passes."""
        self._greeting = None
        self._do(self._heal)

    async def __aenter__(self) -> Self:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        login = self._target.netloc.rpartition("@")[0]
        netloc = f"{login}@127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = self._target._replace(netloc=netloc).geturl()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cord", daemon=True)
        self._thread.start()
        self._do(self._listen)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, what: Callable[[], object]) -> None:
        """Have it done by the proxy's thread, which never waits for the test."""

        async def done() -> None:
            what()

        asyncio.run_coroutine_threadsafe(done(), self._loop).result()

    def _listen(self) -> None:
        self._accepting = asyncio.create_task(self._accept())

    def _drop(self) -> None:
        self._accepting.cancel()
        self._listener.listen(0)
        for _ in range(3):  # a full backlog drops what comes
            filler = socket.socket()
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(self._listener.getsockname())
            self._fillers.append(filler)

    def _heal(self) -> None:
        for wire in self._wires:
            wire.heal()
        if self._fillers:
            self._close_fillers()
            self._listener.listen(128)
            self._listen()

    async def _close(self) -> None:
        self._close_fillers()
        tasks = [self._accepting, *(wire.task for wire in self._wires)]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._listener.close()

    def _close_fillers(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers.clear()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            client, _ = await loop.sock_accept(self._listener)
            client.setblocking(False)
            self.taken += 1
            host, port = self._target.hostname, self._target.port
            wire = _Wire(client, host, port, self._greeting, self.garbage, self.pace)
            self._wires.add(wire)
            wire.task.add_done_callback(lambda _, wire=wire: self._wires.discard(wire))


@contextmanager
def busy_loop() -> Iterator[None]:
    """Have the running loop do other work all the time: what comes has come before anybody looks."""
    loop = asyncio.get_running_loop()
    pending = loop.call_soon(lambda: None)

    def work() -> None:
        nonlocal pending
        time.sleep(0.002)
        pending = loop.call_soon(work)

    work()
    try:
        yield
    finally:
        pending.cancel()


class _Wire:
    """One connection through the proxy."""

    def __init__(
        self,
        client: socket.socket,
        host: str | None,
        port: int | None,
        greeting: tuple[Fault, int] | None,
        garbage: bytes,
        pace: float,
    ) -> None:
        self._client = client
        self._server = socket.socket()
        self._server.setblocking(False)
        self._greeting = greeting
        self._garbage = garbage
        self._pace = pace
        self._answered = 0
        self._slow = False
        self._passing = asyncio.Event()
        self._passing.set()
        self._ending: Fault | None = None
        self.task = asyncio.create_task(self._run(host, port))

    def strike(self, fault: Fault) -> None:
        match fault:
            case Fault.HANG_UP | Fault.RESET:
                self._ending = fault
                self.task.cancel()
            case Fault.SILENT:
                self._passing.clear()
            case Fault.SLOW:
                self._slow = True
            case Fault.GARBAGE:
                with suppress(OSError):
                    self._client.send(self._garbage)

    def heal(self) -> None:
        self._greeting = None
        self._slow = False
        self._passing.set()

    async def _run(self, host: str | None, port: int | None) -> None:
        loop = asyncio.get_running_loop()
        pumps: list[asyncio.Task[None]] = []
        try:
            self._greet()
            await loop.sock_connect(self._server, (host, port))
            pumps = [asyncio.create_task(self._ask()), asyncio.create_task(self._answer())]
            await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        except (OSError, asyncio.CancelledError):  # its end, whoever wants it
            pass
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        if self._ending is Fault.RESET:
            self._client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            await self._farewell()
        self._client.close()
        self._server.close()

    def _greet(self) -> None:
        if self._greeting is not None and self._answered >= self._greeting[1]:
            fault, self._greeting = self._greeting[0], None
            self.strike(fault)

    async def _ask(self) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._client, CHUNK):
            await self._passing.wait()
            await loop.sock_sendall(self._server, data)

    async def _answer(self) -> None:
        loop = asyncio.get_running_loop()
        while data := await loop.sock_recv(self._server, CHUNK):
            while data and self._ending is None:
                await self._passing.wait()
                size = 1 if self._slow else len(data)
                if self._greeting is not None:
                    size = min(size, self._greeting[1] - self._answered)
                await loop.sock_sendall(self._client, data[:size])
                self._answered += size
                data = data[size:]
                self._greet()
                if self._slow:
                    await asyncio.sleep(self._pace)

    async def _farewell(self) -> None:
        """Say that nothing more comes; take what still does, or the close would be a reset."""
        loop = asyncio.get_running_loop()
        self._server.close()
        with suppress(OSError, TimeoutError):
            self._client.shutdown(socket.SHUT_WR)
            async with asyncio.timeout(1):
                while await loop.sock_recv(self._client, CHUNK):
                    pass
