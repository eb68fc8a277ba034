"""One connection to a broker with its socket in hand: opening and closing end in time, whatever happens.

aiormq waits for the peer in places, also while it closes; who holds the socket can make it stop waiting.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, cast

import aio_pika
import aiormq
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from aiormq.exceptions import InvalidFrameError

from adapters.rabbitmq.endpoint import Endpoint
from adapters.rabbitmq.faults import as_broker_unavailable, closing_reason
from domain.kernel.errors import BrokerUnavailable

CONNECT_MAX = 5.0  # seconds
CLOSE_MAX = 2.5  # seconds that a polite good-bye may take
LOOK_EVERY = 0.5
"""Seconds until an end is noticed that aiormq keeps to itself: its reader has ended, its writer waits."""
FRAME_MAX = 16 << 20
"""Bytes.  Brokers send frames of at most 128 KiB; what announces more is no AMQP and would be waited for, and
kept in memory, up to 4 GiB."""


class SocketConnection:
    """Made by `opened`; over when `lost` returns or after `close`."""

    def __init__(self, connection: aio_pika.abc.AbstractConnection, socket: "_Socket") -> None:
        self._connection = connection
        self._socket = socket
        self.amqp: aiormq.Connection = connection.transport.connection

    @classmethod
    async def opened(
        cls, endpoint: Endpoint, *, name: str, heartbeat: int, connect_max: float = CONNECT_MAX
    ) -> "SocketConnection":
        """Connect and log in, within `connect_max` seconds.

        Raises:
            BrokerUnavailable: it did not work, with the endpoint and why.
        """
        socket = _Socket()
        opening = asyncio.create_task(_connected(endpoint, socket, name, heartbeat))
        try:
            with as_broker_unavailable("no answer"):
                async with asyncio.timeout(connect_max):
                    return cls(await asyncio.shield(opening), socket)
        except BaseException as fault:
            opening.cancel()
            socket.abort()
            await asyncio.wait({opening}, timeout=CLOSE_MAX)
            if not isinstance(fault, BrokerUnavailable):
                raise
            reason = str(fault)
            if isinstance(fault.__cause__, InvalidFrameError):  # the broker's own words are lost in aiormq
                reason = "refused: no such virtual host, no permission in it, or not AMQP 0-9-1"
            raise BrokerUnavailable(f"{endpoint}: {reason}") from fault

    async def lost(self) -> str:
        """Wait for the end of it; return why."""
        closing = self.amqp.closing
        while self.amqp.is_opened:
            await asyncio.wait({closing}, timeout=LOOK_EVERY)
        await self._over(closing)
        return closing_reason(closing) if closing.done() else "over, and its reason never came"

    async def close(self) -> None:
        """Say good-bye if there is somebody, and close the socket in any case."""
        closing = asyncio.create_task(self._connection.close(BrokerUnavailable("closed")))
        await asyncio.wait({closing}, timeout=CLOSE_MAX)
        await self._over(closing)

    async def _over(self, end: "asyncio.Future[Any]") -> None:
        """Have it end now: whoever waits on one of its channels learns of it only then."""
        if not end.done():
            await asyncio.wait({end}, timeout=LOOK_EVERY)
            self._socket.abort()
            await asyncio.wait({end}, timeout=CLOSE_MAX)
        if end.done() and not end.cancelled():
            end.exception()  # looked at


class _Connection(aio_pika.Connection):
    """One that does not come about is closed: the collector would try to close it when no loop runs."""

    async def connect(self, timeout: aio_pika.abc.TimeoutType = None) -> None:  # noqa: ASYNC109  as there
        try:
            await super().connect(timeout)
        except BaseException:
            await self.close()
            raise


async def _connected(endpoint: Endpoint, socket: "_Socket", name: str, heartbeat: int) -> Any:
    def connection(*args: Any, **kwargs: Any) -> aio_pika.Connection:
        made = _Connection(*args, **kwargs)
        made.kwargs["transport_factory"] = socket  # what aio-pika hands on to aiormq
        return made

    return await aio_pika.connect(
        connection_class=connection,  # type: ignore[type-var]
        host=endpoint.host,
        port=endpoint.port,
        login=endpoint.user,
        password=endpoint.password.reveal(),
        virtualhost=endpoint.vhost,
        ssl=endpoint.tls is not None,
        ssl_context=endpoint.tls,
        client_properties={"product": "posthorn", "connection_name": name},
        heartbeat=heartbeat,
        auth="plain" if endpoint.user else "external",
    )


class _Socket(TransportFactory):
    """Opens what aiormq asks for, and can cut it."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None

    async def create(self, url: Any, **options: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """As aiormq would."""
        kind = TLSTransportFactory if url.scheme == "amqps" else TCPTransportFactory
        reader, self._writer = await kind().create(url, **options)
        return cast("asyncio.StreamReader", _Reader(reader)), self._writer

    def abort(self) -> None:
        """Cut it, without waiting for anybody."""
        if self._writer is not None:
            self._writer.transport.abort()


class _Reader:
    """What aiormq reads from: frames of a size that a broker sends."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.at_eof = reader.at_eof
        self.read = reader.read

    def readexactly(self, size: int) -> Coroutine[Any, Any, bytes]:
        """See `StreamReader`.

        Raises:
            ConnectionError: somebody announces what is no frame.
        """
        if size > FRAME_MAX:
            raise ConnectionError(f"a frame of {size} bytes is announced: not AMQP")
        return self._reader.readexactly(size)
