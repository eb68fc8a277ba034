"""What every gateway over HTTP must do: `GatewayContract`, and whatever can go wrong on the way of a call.

Subclasses say how their gateway is made for a URL and which look-alike is its other side.
"""

import asyncio
import ssl
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from adapters.providers.kit.settings import ProviderGateway
from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown
from entrypoints.simulator.kit import BODY_MAX, Simulator
from tests.contract.gateway import IDS, GatewayContract, message
from tests.support.smtp import certificate

Served = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


class HttpGatewayContract(GatewayContract):
    """Subclasses give `made` and `routes`."""

    @abstractmethod
    def made(self, url: str, **changes: Any) -> ProviderGateway:
        """The gateway; a call takes at most a second."""

    @abstractmethod
    def routes(self, simulator: Simulator) -> list[web.RouteDef]:
        """The look-alike's."""

    @pytest.fixture
    def simulator(self) -> Simulator:
        return Simulator(ids=IDS)

    @pytest.fixture
    async def gateway(self, simulator: Simulator) -> AsyncIterator[ProviderGateway]:
        async with simulated(self.routes(simulator)) as url, closing(self.made(url)) as gateway:
            yield gateway

    async def test_a_call_begins_anew_after_a_throttle(self, gateway: ProviderGateway) -> None:
        outcome = await gateway.send(message("throttle-1@shop.test"))
        assert isinstance(outcome, Deferred)
        assert outcome.retry_after
        assert isinstance(await gateway.send(message("throttle-1@shop.test", attempt=2)), Accepted)

    async def test_our_id_travels_with_the_message(
        self, gateway: ProviderGateway, simulator: Simulator
    ) -> None:
        sent = message()
        await gateway.send(sent)
        assert [got.delivery for got in simulator.got] == [sent.delivery]

    of_recipients = False
    """The other side belongs to the recipient: what it does says nothing of the provider, and it is called
    again later where another one would be paused."""

    async def test_nobody_there_is_a_definite_failure(self) -> None:
        async with closing(self.made("http://127.0.0.1:1")) as gateway:
            outcome = await gateway.send(message())
        assert isinstance(outcome, Deferred)
        assert outcome.examined is self.of_recipients

    async def test_a_server_that_proves_nothing_is_sent_nothing(self, tmp_path: Path) -> None:
        heard: list[bytes] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(1))

        _, context = certificate(tmp_path)
        async with served(serve, tls=context) as port, closing(self.made(f"https://localhost:{port}")) as to:
            outcome = await to.send(message())
        assert isinstance(outcome, Deferred)
        assert heard in ([], [b""])

    @pytest.mark.parametrize(
        "said",
        [b"", b"HTTP/1.1 2", b"hello?\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"],
        ids=["hangs up", "half a line", "garbage", "breaks off"],
    )
    async def test_no_readable_answer_is_unknown(self, said: bytes) -> None:
        assert isinstance(await self._outcome_of(said), Unknown)

    @pytest.mark.parametrize("body", [b"", b"<html>", b"[" * 50_000, b'{"a":', b"\xff\xfe", b"null", b"[]"])
    async def test_a_success_that_cannot_be_read_is_unknown(self, body: bytes) -> None:
        assert isinstance(await self._outcome_of(http(200, body)), self.unreadable)

    unreadable: type = Unknown
    """What a 200 is whose body cannot be read; `Accepted` where the status alone is the success."""

    async def test_an_answer_that_never_ends_is_left(self) -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await request_of(reader)
            writer.write(b"HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not writer.is_closing():
                writer.write(b"1000\r\n" + b" " * 0x1000 + b"\r\n")
                await writer.drain()

        async with served(serve) as port, closing(self.made(f"http://127.0.0.1:{port}")) as gateway:
            assert isinstance(await gateway.send(message()), Refused)

    @pytest.mark.parametrize(
        "body", [b"", b"<html>sorry</html>", b"[" * 50_000, b"\xff", b'"words"', b"[[]]"]
    )
    @pytest.mark.parametrize(
        ("status", "kind"),
        [
            (302, AccountFault),
            (401, AccountFault),
            (413, Refused),
            (429, Deferred),
            (500, Deferred),
            (502, Unknown),
            (503, Deferred),
            (504, Unknown),
        ],
    )
    async def test_a_status_counts_whatever_the_body(self, status: int, kind: type, body: bytes) -> None:
        if kind is AccountFault and self.of_recipients:
            kind = Deferred
        assert isinstance(await self._outcome_of(http(status, body)), kind)

    async def test_a_redirection_is_not_followed(self) -> None:
        asked: list[str] = []

        async def moved(request: web.Request) -> web.Response:
            asked.append(request.path)
            return web.Response(status=307, headers={"Location": "/elsewhere"})

        async with (
            simulated([web.route("*", "/{path:.*}", moved)]) as url,
            closing(self.made(url)) as gateway,
        ):
            outcome = await gateway.send(message())
        assert isinstance(outcome, Deferred if self.of_recipients else AccountFault)
        assert len(asked) == 1

    @pytest.mark.parametrize(
        "asked", ["7", "7.5", " 7 ", "-3", "1e9", "soon", "Wed, 21 Oct 2015 07:28:00 GMT"]
    )
    async def test_it_comes_again_when_the_provider_says(self, asked: str) -> None:
        outcome = await self._outcome_of(http(429, b"{}", f"Retry-After: {asked}"))
        assert isinstance(outcome, Deferred)
        assert outcome.retry_after is not None
        assert 0 <= outcome.retry_after.total_seconds() <= 86_400

    async def _outcome_of(self, said: bytes) -> Outcome:
        """The outcome of a call whose server reads the request, says this, and hangs up."""

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await request_of(reader)
            writer.write(said)
            await writer.drain()

        async with served(serve) as port, closing(self.made(f"http://127.0.0.1:{port}")) as gateway:
            outcome = await gateway.send(message())
            assert not isinstance(outcome, NotCalled)
            return outcome


def http(status: int, body: bytes, *headers: str) -> bytes:
    """An answer as it stands on the wire."""
    head = [
        f"HTTP/1.1 {status} So",
        f"Content-Length: {len(body)}",
        "Content-Type: application/json",
        *headers,
    ]
    return "\r\n".join([*head, "", ""]).encode() + body


async def request_of(reader: asyncio.StreamReader) -> None:
    """Read a whole request."""
    head = await reader.readuntil(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            await reader.readexactly(int(line.partition(b":")[2]))


@asynccontextmanager
async def served(serve: Served, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """A server that says what a test wants said; its port."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await serve(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


@asynccontextmanager
async def simulated(routes: list[web.RouteDef]) -> AsyncIterator[str]:
    """A look-alike on a free port of this host; its URL."""
    app = web.Application(client_max_size=BODY_MAX)
    app.router.add_routes(routes)
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def closing(gateway: ProviderGateway) -> AsyncIterator[ProviderGateway]:
    """Close it afterwards."""
    try:
        yield gateway
    finally:
        await gateway.aclose()
