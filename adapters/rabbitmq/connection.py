"""A connection that comes back by itself: after a loss, and when the broker was not there at the start."""

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress

import aiormq

from adapters.rabbitmq import tolerant_reader
from adapters.rabbitmq.endpoint import Endpoint
from adapters.rabbitmq.faults import as_broker_unavailable
from adapters.rabbitmq.socket_connection import CONNECT_MAX, SocketConnection
from application.kernel.supervision import End, Tasks, start
from domain.kernel.errors import BrokerUnavailable

HEARTBEAT = 10
"""Seconds; a vanished peer is noticed after three times that and a second each: 33 s."""
BACKOFF_MIN, BACKOFF_MAX = 0.1, 2.0
FRAMES_AHEAD = 300  # with aiormq's 10 the connection's reader and the channel's take turns all the time
ALARM = "its memory or disk alarm is on"


class BrokerConnection:
    """Keeps one connection to one of the endpoints.

    Publishers and consumers get a link each: a broker short of memory or disk stops reading from connections
    that publish, and must not hold back acks.

    aio-pika's robust connection is not used: it brings back channels and consumers behind one's back, but
    neither replays a failed publish nor says which messages are in doubt.
    """

    def __init__(
        self,
        endpoints: Sequence[Endpoint],
        *,
        name: str,
        heartbeat: int = HEARTBEAT,
        purpose: str = "link",
        tasks: Tasks | None = None,
        connect_max: float = CONNECT_MAX,
        backoff_max: float = BACKOFF_MAX,
    ) -> None:
        """Set up; see `open`.

        Args:
            name: of the connection, as the broker's lists show it.
            heartbeat: seconds.
            purpose: the same in logs and figures of this process.
            connect_max: seconds for one attempt.
            backoff_max: longest pause between two attempts, in seconds.
        """
        self._endpoints = endpoints
        self._name = name
        self._heartbeat = heartbeat
        self._task = f"amqp {purpose}"
        self._tasks = tasks or Tasks()
        self._connect_max, self._backoff_max = connect_max, backoff_max
        self._wire: SocketConnection | None = None
        self._trouble = "not opened"
        self._since = 0.0
        self._sessions = 0
        self._settled = asyncio.Event()  # connected, or each endpoint was tried in vain
        self._settled.set()
        self._keeper: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        tolerant_reader.install()

    async def open(self) -> None:
        """Start; return when connected, or when the first attempts at it have failed."""
        self._without("not connected yet")
        self._settled.clear()
        self._keeper = self._tasks.keep(self._task, self._keep)
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
        return self._wire is not None and self._wire.amqp.is_opened

    @property
    def away(self) -> float:
        """Seconds since there was a connection; 0: there is one."""
        return asyncio.get_running_loop().time() - self._since if self._wire is None else 0.0

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
        ready = self._wire.amqp.ready()  # aiormq keeps it to itself; only this waits while blocked
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
        return None if self._wire.amqp.is_opened else "connection lost"

    async def channel(self, *, confirms: bool = False) -> aiormq.Channel:
        """Open a channel, with aiormq itself: aio-pika would wrap each message once more.

        Not bounded in time: right after a loss it waits for the first attempts to come back.

        Raises:
            BrokerUnavailable: there is no connection now, and why; or it was lost meanwhile.
        """
        await self._settled.wait()
        if self._wire is None or not self._wire.amqp.is_opened:
            raise BrokerUnavailable(self.trouble or "not connected")
        with as_broker_unavailable("no answer to opening a channel"):
            return await self._wire.amqp.channel(
                publisher_confirms=confirms, on_return_raises=confirms, frame_buffer_size=FRAMES_AHEAD
            )

    def retire(self, channel: aiormq.Channel, reason: str) -> asyncio.Task[None]:
        """Close a channel, for whoever still waits on it too; done when the broker has closed it.

        By then the broker has taken back what was not acked.
        """
        return start("amqp retire", _close(channel, BrokerUnavailable(reason)), among=self._retiring)

    async def _keep(self) -> None:
        failures = 0
        try:
            while True:
                endpoint = self._endpoints[failures % len(self._endpoints)]
                try:
                    self._wire = await SocketConnection.opened(
                        endpoint,
                        name=self._name,
                        heartbeat=self._heartbeat,
                        connect_max=self._connect_max,
                    )
                except BrokerUnavailable as fault:
                    self._trouble = str(fault)
                    failures += 1
                    if failures >= len(self._endpoints):
                        self._settled.set()
                else:
                    failures = 0
                    self._sessions += 1
                    self._settled.set()
                    await self._lost(self._wire)
                await asyncio.sleep(_backoff(failures, self._backoff_max))
        finally:
            self._settled.set()
            await self._hang_up()

    async def _lost(self, wire: SocketConnection) -> None:
        reason = await wire.lost()
        self._settled.clear()
        self._without(f"connection lost: {reason}")
        self._tasks.ended(self._task, End.LOST, BrokerUnavailable(self._trouble))
        await self._hang_up()

    async def _hang_up(self) -> None:
        wire, self._wire = self._wire, None
        if wire is not None:
            await wire.close()

    def _without(self, trouble: str) -> None:
        self._trouble = trouble
        self._since = asyncio.get_running_loop().time()


async def _close(channel: aiormq.Channel, reason: BrokerUnavailable) -> None:
    with suppress(BrokerUnavailable), as_broker_unavailable("no answer to closing a channel"):
        await channel.close(reason)


def _backoff(failures: int, most: float) -> float:
    """Doubling; spread by process id, so that a fleet does not come back in one wave."""
    return min(most, BACKOFF_MIN * 2.0**failures) * (0.75 + (os.getpid() % 64) / 128)
