"""A connection that comes back by itself: after a loss, and when the broker was not there at the start."""

import asyncio
import os
from collections.abc import Sequence

import aio_pika
import aiormq
from aiormq.exceptions import InvalidFrameError

from adapters.rabbitmq import lenient
from adapters.rabbitmq.channels import ending, told
from adapters.rabbitmq.endpoint import Endpoint
from domain.kernel.errors import BrokerUnavailable

HEARTBEAT = 10
"""Seconds; a vanished peer is noticed after three times that and a second each: 33 s."""
BACKOFF_MIN, BACKOFF_MAX = 0.1, 2.0
CONNECT_MAX = 5.0  # seconds
CLOSE_MAX = 2.5  # seconds that a polite good-bye may take
FRAMES_AHEAD = 300  # with aiormq's 10 the connection's reader and the channel's take turns all the time
ALARM = "its memory or disk alarm is on"


class _Connection(aio_pika.Connection):
    """One that does not come about is closed: the collector would try to close it when no loop runs."""

    async def connect(self, timeout: aio_pika.abc.TimeoutType = None) -> None:  # noqa: ASYNC109  as there
        try:
            await super().connect(timeout)
        except BaseException:
            await self.close()
            raise


class Link:
    """Keeps one connection to one of the endpoints.

    Publishers and consumers get a link each: a broker short of memory or disk stops reading from connections
    that publish, and must not hold back acks.

    aio-pika's robust connection is not used: it brings back channels and consumers behind one's back, but
    neither replays a failed publish nor says which messages are in doubt.
    """

    def __init__(self, endpoints: Sequence[Endpoint], *, name: str, heartbeat: int = HEARTBEAT) -> None:
        self._endpoints = endpoints
        self._name = name
        self._heartbeat = heartbeat
        self._connection: aio_pika.abc.AbstractConnection | None = None
        self._wire: aiormq.Connection | None = None  # beneath it
        self._trouble = "not opened"
        self._sessions = 0
        self._settled = asyncio.Event()  # connected, or each endpoint was tried in vain
        self._settled.set()
        self._keeper: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        lenient.install()

    async def open(self) -> None:
        """Start; return when connected, or when the first attempts at it have failed."""
        self._trouble = "not connected yet"
        self._settled.clear()
        self._keeper = asyncio.create_task(self._keep(), name=f"amqp {self._name}")
        await self._settled.wait()

    async def close(self) -> None:
        """Hang up and stay away."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
            self._keeper = None
        self._trouble = "closed"

    @property
    def connected(self) -> bool:
        """There is a connection now."""
        return self._wire is not None and self._wire.is_opened

    @property
    def session(self) -> int | None:
        """The number of the present connection, from 1; None: there is none."""
        return self._sessions if self.connected else None

    @property
    def blocked(self) -> str | None:
        """Why the broker takes nothing from publishers now (its memory or disk alarm); None when it does.

        The broker tells so only after the first message it does not take.
        """
        if self._wire is None:
            return None
        ready = self._wire.ready()  # aiormq keeps it to itself; only this waits while blocked
        try:
            ready.send(None)
        except StopIteration:
            return None
        finally:
            ready.close()
        return ALARM

    @property
    def trouble(self) -> str | None:
        """Why there is no connection, for people; None when there is one."""
        if self._wire is None:
            return self._trouble
        return None if self._wire.is_opened else "connection lost"

    async def channel(self, *, confirms: bool = False) -> aiormq.Channel:
        """Open a channel, with aiormq itself: aio-pika would wrap each message once more.

        Not bounded in time: right after a loss it waits for the first attempts to come back.

        Raises:
            BrokerUnavailable: there is no connection now, and why; or it was lost meanwhile.
        """
        await self._settled.wait()
        if self._wire is None or not self._wire.is_opened:
            raise BrokerUnavailable(self.trouble or "not connected")
        with told("no answer to opening a channel"):
            return await self._wire.channel(
                publisher_confirms=confirms, on_return_raises=confirms, frame_buffer_size=FRAMES_AHEAD
            )

    def retire(self, channel: aiormq.Channel, reason: str) -> asyncio.Task[None]:
        """Close a channel, for whoever still waits on it too; done when the broker has closed it.

        By then the broker has taken back what was not acked.
        """
        closing = asyncio.create_task(channel.close(BrokerUnavailable(reason)))
        self._retiring.add(closing)
        closing.add_done_callback(self._retiring.discard)
        return closing

    async def _keep(self) -> None:
        failures = 0
        try:
            while True:
                try:
                    await self._connect(self._endpoints[failures % len(self._endpoints)])
                except BrokerUnavailable as fault:
                    self._trouble = str(fault)
                    failures += 1
                    if failures >= len(self._endpoints):
                        self._settled.set()
                else:
                    failures = 0
                    self._settled.set()
                    await self._lost()
                await asyncio.sleep(_backoff(failures))
        finally:
            self._settled.set()
            await self._hang_up()

    async def _connect(self, endpoint: Endpoint) -> None:
        try:
            with told("no answer"):
                async with asyncio.timeout(CONNECT_MAX):
                    self._connection = await aio_pika.connect(
                        connection_class=_Connection,
                        host=endpoint.host,
                        port=endpoint.port,
                        login=endpoint.user,
                        password=endpoint.password.reveal(),
                        virtualhost=endpoint.vhost,
                        ssl=endpoint.tls is not None,
                        ssl_context=endpoint.tls,
                        client_properties={"product": "posthorn", "connection_name": self._name},
                        heartbeat=self._heartbeat,
                        auth="plain" if endpoint.user else "external",
                    )
        except BrokerUnavailable as fault:
            reason = str(fault)
            if isinstance(fault.__cause__, InvalidFrameError):  # the broker's own words are lost in aiormq
                reason = "refused: no such virtual host, no permission in it, or not AMQP 0-9-1"
            raise BrokerUnavailable(f"{endpoint}: {reason}") from fault
        self._wire = self._connection.transport.connection
        self._sessions += 1

    async def _lost(self) -> None:
        closing = self._wire.closing
        await asyncio.wait({closing})
        self._settled.clear()
        self._trouble = f"connection lost: {ending(closing)}"
        await self._hang_up()

    async def _hang_up(self) -> None:
        connection, self._connection, self._wire = self._connection, None, None
        if connection is not None:
            closing = asyncio.create_task(connection.close(BrokerUnavailable("closed")))
            await asyncio.wait({closing}, timeout=CLOSE_MAX)


def _backoff(failures: int) -> float:
    """Doubling; spread by process id, so that a fleet does not come back in one wave."""
    return min(BACKOFF_MAX, BACKOFF_MIN * 2.0**failures) * (0.75 + (os.getpid() % 64) / 128)
