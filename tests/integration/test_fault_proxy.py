"""The proxy does to a connection what its tests rely on."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.support.fault_proxy import PACE, Fault, FaultProxy

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
async def proxy() -> AsyncIterator[FaultProxy]:
    """To a server that echoes."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(1000):
            writer.write(data)
        writer.close()

    async with await asyncio.start_server(echo, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with FaultProxy(f"echo://127.0.0.1:{port}", garbage=b"garbage") as proxy:
            yield proxy


async def test_at_connect(proxy: FaultProxy) -> None:
    proxy.greet(Fault.HANG_UP)
    assert await said(await connected(proxy)) == b""
    proxy.greet(Fault.RESET)
    with pytest.raises(ConnectionResetError):
        await said(await connected(proxy))
    proxy.greet(Fault.GARBAGE)
    assert await said(await connected(proxy), 12) == b"garbagehello"
    proxy.greet(Fault.SILENT)
    streams = await connected(proxy)
    with pytest.raises(TimeoutError):
        await said(streams)
    proxy.heal()
    assert await said(streams) == b"hello"
    proxy.greet(Fault.HANG_UP, after=3)
    assert await said(await connected(proxy)) == b"hel"
    assert proxy.taken == 5


async def test_in_mid_stream(proxy: FaultProxy) -> None:
    for fault, heard in ((Fault.HANG_UP, b""), (Fault.GARBAGE, b"garba")):
        streams = await connected(proxy)
        assert await said(streams) == b"hello"
        proxy.strike(fault)
        assert await said(streams) == heard
    proxy.strike(Fault.RESET)
    with pytest.raises(ConnectionResetError):
        await said(streams, 100)
    streams = await connected(proxy)
    assert await said(streams) == b"hello"
    proxy.strike(Fault.SLOW)
    streams[1].write(b"h" * 8)
    began = time.monotonic()
    assert await said(streams, 8) == b"h" * 8
    assert time.monotonic() - began >= 7 * PACE


async def test_a_black_hole_answers_nobody_and_what_stood_goes_on_afterwards(proxy: FaultProxy) -> None:
    streams = await connected(proxy)
    assert await said(streams) == b"hello"
    proxy.black_hole()
    streams[1].write(b"later")
    with pytest.raises(TimeoutError):
        await said(streams)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(connected(proxy), 0.2)
    proxy.heal()
    assert await said(streams) == b"later"
    assert await said(await connected(proxy)) == b"hello"


async def connected(proxy: FaultProxy) -> Streams:
    """A new connection that has said hello."""
    host, _, port = proxy.url.removeprefix("echo://@").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"hello")
    return reader, writer


async def said(streams: Streams, most: int = 5) -> bytes:
    """What comes within a fifth of a second, up to the end or so many bytes."""
    try:
        return await asyncio.wait_for(streams[0].readexactly(most), 0.2)
    except asyncio.IncompleteReadError as end:
        return end.partial
