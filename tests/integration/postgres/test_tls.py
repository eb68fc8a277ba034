"""TLS to the database, through a proxy that ends it: the servers of the tests speak none."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.postgres.core.database import Database
from adapters.postgres.core.migrate import migrate
from domain.kernel.errors import StoreUnavailable
from tests.support.postgres import PostgresServer
from tests.support.smtp import certificate

SSL_REQUEST_SIZE = 8


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    return certificate(tmp_path)


@pytest.fixture
async def proxied(
    empty: str, postgres_server: PostgresServer, authority: tuple[Path, ssl.SSLContext]
) -> AsyncIterator[str]:
    """The DSN of an empty database, reached through the proxy as `localhost`."""
    context = authority[1]

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(SSL_REQUEST_SIZE)
        writer.write(b"S")
        try:
            await writer.start_tls(context)
        except ssl.SSLError:  # the client does not trust us
            return
        there, back = await asyncio.open_connection("127.0.0.1", postgres_server.port)
        await asyncio.gather(_copy(reader, back), _copy(there, writer))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    yield empty.replace(f"127.0.0.1:{postgres_server.port}", f"localhost:{port}")
    server.close()


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while data := await source.read(65536):
        target.write(data)
        await target.drain()
    target.close()


async def test_a_server_with_a_trusted_certificate(
    proxied: str, authority: tuple[Path, ssl.SSLContext]
) -> None:
    context = ssl.create_default_context(cafile=authority[0])
    await migrate(proxied, ssl=context)
    async with Database(proxied, ssl=context) as database:
        assert await database.fetch("SELECT channel FROM channel_configurations")


async def test_a_server_with_a_certificate_of_somebody_else(proxied: str) -> None:
    async with Database(proxied, ssl=ssl.create_default_context()) as database:
        with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
            await database.fetch("SELECT 1")


async def test_a_server_under_another_name(proxied: str, authority: tuple[Path, ssl.SSLContext]) -> None:
    context = ssl.create_default_context(cafile=authority[0])
    async with Database(proxied.replace("localhost", "127.0.0.1"), ssl=context) as database:
        with pytest.raises(StoreUnavailable, match="SSLCertVerificationError"):
            await database.fetch("SELECT 1")
