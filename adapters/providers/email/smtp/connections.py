"""Connections to one SMTP server: a bounded number, kept for a while, closed with good manners."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import cast

from aiosmtplib import SMTP, SMTPException, SMTPHeloError

from adapters.providers.email.smtp.options import SmtpOptions
from adapters.providers.email.smtp.replies import Progress, Stage
from application.kernel.supervision import start
from domain.kernel.errors import Misconfigured

_GOODBYE = 2.0


class Busy(Exception):
    """All connections are at work, and none became free in time."""


class Connection:
    """One session and what it has been through."""

    __slots__ = ("dirty", "expiry", "served", "smtp")

    def __init__(self, smtp: SMTP) -> None:
        self.smtp = smtp
        self.served = 0
        """Transactions begun."""
        self.dirty = False
        """A transaction was broken off: RSET first."""
        self.expiry: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Cut it: what is still on its way out must not go out later."""
        if self.smtp.transport is not None:
            cast("asyncio.WriteTransport", self.smtp.transport).abort()
        self.smtp.close()


class Connections:
    """The pool.  Idle connections are taken last in, first out, so that the rest can expire."""

    def __init__(self, options: SmtpOptions, *, hello: str) -> None:
        """Nothing is opened yet.

        Raises:
            Misconfigured: the authority's file cannot be read.
        """
        self._options = options
        self._hello = hello
        self._tls = _tls_context(options)
        self._slots = asyncio.Semaphore(options.pool)
        self._idle: list[Connection] = []
        self._goodbyes: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """The right to use one connection.

        Raises:
            Busy: none became free in time.
        """
        try:
            async with asyncio.timeout(self._options.wait_max.total_seconds()):
                await self._slots.acquire()
        except TimeoutError:
            raise Busy from None
        try:
            yield
        finally:
            self._slots.release()

    async def rested(self) -> Connection | None:
        """A connection that was kept and still stands, ready for a new transaction."""
        while (connection := self._pop()) is not None:
            if not connection.dirty:
                return connection
            try:
                await connection.smtp.rset()
            except (OSError, SMTPException):  # one less; the caller opens another
                connection.abort()
            except BaseException:
                connection.abort()
                raise
            else:
                connection.dirty = False
                return connection
        return None

    async def open(self, progress: Progress) -> Connection:
        """Connect, encrypt, greet, log in.

        Raises:
            OSError, SMTPException: it did not work; `progress` says how far it came.
        """
        progress.stage = Stage.CONNECT
        options = self._options
        smtp = SMTP(
            hostname=options.host,
            port=options.port,
            use_tls=options.tls == "tls",
            start_tls=options.tls == "starttls",
            tls_context=self._tls,
            local_hostname=self._hello,
            timeout=None,  # the whole call has one
        )
        connection = Connection(smtp)
        try:
            await smtp.connect()
            _notice_death(smtp)
            try:
                await smtp.ehlo()
            except SMTPHeloError:
                await smtp.helo()
            if options.user is not None:
                progress.stage = Stage.LOGIN
                await smtp.login(options.user, options.password.reveal() if options.password else "")
        except BaseException:
            connection.abort()
            raise
        return connection

    def keep(self, connection: Connection) -> None:
        """Put it back, or take leave of it when it has served long enough."""
        if not connection.smtp.is_connected:
            return
        if connection.served >= self._options.messages_max:
            self._take_leave(connection)
            return
        loop = asyncio.get_running_loop()
        connection.expiry = loop.call_later(self._options.idle_max.total_seconds(), self._expire, connection)
        self._idle.append(connection)

    async def aclose(self) -> None:
        """Take leave of all that rest; those at work belong to their calls."""
        while (connection := self._pop()) is not None:
            self._take_leave(connection)
        await asyncio.gather(*self._goodbyes)

    def _pop(self) -> Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.expiry is not None:
                connection.expiry.cancel()
            if connection.smtp.is_connected:
                return connection
        return None

    def _expire(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
            self._take_leave(connection)

    def _take_leave(self, connection: Connection) -> None:
        start("smtp goodbye", _say_goodbye(connection), among=self._goodbyes)


async def _say_goodbye(connection: Connection) -> None:
    with suppress(OSError, SMTPException, TimeoutError):  # leaving either way
        async with asyncio.timeout(_GOODBYE):
            await connection.smtp.quit()
    connection.abort()


def _notice_death(smtp: SMTP) -> None:
    """Waits may be long: the kernel asks whether the other side still stands, and ends what does not."""
    connected = smtp.get_transport_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _tls_context(options: SmtpOptions) -> ssl.SSLContext | None:
    if options.tls == "none":
        return None
    try:
        context = ssl.create_default_context(cafile=options.ca)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"the authority's file {options.ca} cannot be used: {error}") from None
    if not options.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
