"""One connection to a broker, with access to its socket: opening and closing end in time, whatever happens.

aiormq waits for the peer in some places, even while it closes; aborting the socket makes it stop waiting.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar, cast

import aio_pika
import aiormq
from aiormq.connection import TCPTransportFactory, TLSTransportFactory, TransportFactory
from aiormq.exceptions import InvalidFrameError

from adapters.rabbitmq.endpoint import Endpoint
from adapters.rabbitmq.faults import as_broker_unavailable, closing_reason
from domain.kernel.errors import BrokerUnavailable

T = TypeVar("T")

CONNECT_MAX = 5.0  # seconds
CLOSE_MAX = 2.5  # seconds that closing in order may take
LOOK_EVERY = 0.5
"""Seconds between two looks for an end that aiormq does not report (its reader ended, its writer waits)."""
FRAME_MAX = 16 << 20
"""Bytes.  Brokers send frames of at most 128 KiB.  A larger one is not AMQP; aiormq would wait for up
to 4 GiB of it, in memory."""


class SocketConnection:
    """Made by `opened`; it has ended when `lost` returns, or after `close`."""

    def __init__(self, connection: aio_pika.abc.AbstractConnection, socket: "_Socket") -> None:
        self._connection = connection
        self._socket = socket
        transport = connection.transport
        assert transport is not None, "it is connected"
        self.amqp = cast("aiormq.Connection", transport.connection)

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
        """Wait until it has ended; return why."""
        closing = self.amqp.closing
        while self.amqp.is_opened:
            await asyncio.wait({closing}, timeout=LOOK_EVERY)
        await self._over(closing)
        return closing_reason(closing) if closing.done() else "over, and its reason never came"

    async def close(self) -> None:
        """Close in order if the peer answers, and close the socket in any case."""
        closing = asyncio.create_task(self._connection.close(BrokerUnavailable("closed")))
        await asyncio.wait({closing}, timeout=CLOSE_MAX)
        await self._over(closing)

    async def _over(self, end: "asyncio.Future[T]") -> None:
        """Make it end now: those who wait on one of its channels are woken only by the end."""
        if not end.done():
            await asyncio.wait({end}, timeout=LOOK_EVERY)
            self._socket.abort()
            await asyncio.wait({end}, timeout=CLOSE_MAX)
        if end.done() and not end.cancelled():
            end.exception()  # looked at


class _Connection(aio_pika.Connection):
    """Closes itself when connecting fails: the garbage collector would try to when no loop runs any more."""

    async def connect(self, timeout: aio_pika.abc.TimeoutType = None) -> None:  # noqa: ASYNC109  as there
        try:
            await super().connect(timeout)
        except BaseException:
            await self.close()
            raise


async def _connected(
    endpoint: Endpoint, socket: "_Socket", name: str, heartbeat: int
) -> Any:  # aio-pika declares an abstract type
    def connection(*args: Any, **kwargs: Any) -> aio_pika.Connection:  # aio-pika's own
        made = _Connection(*args, **kwargs)
        made.kwargs["transport_factory"] = socket  # what aio-pika hands on to aiormq
        return made

    return await aio_pika.connect(
        connection_class=connection,
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
    """Opens the socket for aiormq, and can abort it."""

    def __init__(self) -> None:
        self._writer: asyncio.StreamWriter | None = None

    async def create(
        self,
        url: Any,  # of aiormq
        **options: Any,  # passed on
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open it as aiormq would."""
        kind = TLSTransportFactory if url.scheme == "amqps" else TCPTransportFactory
        reader, self._writer = await kind().create(url, **options)
        return cast("asyncio.StreamReader", _Reader(reader)), self._writer

    def abort(self) -> None:
        """Abort it, without waiting for the peer."""
        if self._writer is not None:
            self._writer.transport.abort()


class _Reader:
    """What aiormq reads from; refuses frames larger than a broker sends."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self.at_eof = reader.at_eof
        self.read = reader.read

    def readexactly(self, size: int) -> Coroutine[object, object, bytes]:
        """See `StreamReader`.

        Raises:
            ConnectionError: the peer announces more than a frame may have.
        """
        if size > FRAME_MAX:
            raise ConnectionError(f"a frame of {size} bytes is announced: not AMQP")
        return self._reader.readexactly(size)
