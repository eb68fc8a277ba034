"""Connections to one SMTP server: a bounded number, kept for a while, ended with QUIT."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, cast

from aiosmtplib import SMTP, SMTPException, SMTPHeloError
from msgspec import Meta

from adapters.providers.email.smtp.replies import CallProgress, Stage
from adapters.providers.kit.settings import ProviderSettings
from application.kernel.supervision import start
from domain.kernel.bounds import Count, Port
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret

_QUIT_MAX = 2.0
"""Seconds that a server has to answer QUIT."""


class SmtpTls(StrEnum):
    """How an SMTP connection is encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpServer(ProviderSettings, frozen=True):
    """The part of the settings that is about the server and the connections to it."""

    host: Annotated[str, Meta(description="name of the SMTP server")] = "localhost"
    port: Annotated[Port, Meta(description="25, 587 (STARTTLS) or 465 (TLS)")] = 587
    tls: Annotated[SmtpTls, Meta(description="how the connection is encrypted")] = SmtpTls.STARTTLS
    verify: Annotated[bool, Meta(description="check the server's certificate and name")] = True
    ca: Annotated[Path | None, Meta(description="PEM file of the authority; none: the system's")] = None
    user: Annotated[str | None, Meta(description="login; none: no login")] = None
    password: Annotated[Secret | None, Meta(description="password of the login")] = None
    pool: Annotated[Count, Meta(description="connections of one process")] = 4
    wait_max: Annotated[timedelta, Meta(description="longest wait for a free connection")] = timedelta(
        seconds=1
    )
    idle_max: Annotated[timedelta, Meta(description="a connection that rests longer is closed")] = timedelta(
        seconds=20
    )  # servers close it soon, too
    messages_max: Annotated[Count, Meta(description="messages over one connection")] = 100


class Busy(Exception):
    """All connections are at work, and none became free in time."""


class SmtpConnection:
    """One session and what it has been through."""

    __slots__ = ("expiry", "needs_reset", "smtp", "transactions")

    def __init__(self, smtp: SMTP) -> None:
        self.smtp = smtp
        self.transactions = 0
        """Begun over it so far."""
        self.needs_reset = False
        """A transaction was broken off: RSET first."""
        self.expiry: asyncio.TimerHandle | None = None

    def abort(self) -> None:
        """Cut it: what is still on its way out must not go out later."""
        if self.smtp.transport is not None:
            cast("asyncio.WriteTransport", self.smtp.transport).abort()
        self.smtp.close()


class Connections:
    """The pool.  Idle connections are taken last in, first out, so that the others can expire."""

    def __init__(self, server: SmtpServer, *, hello: str) -> None:
        """Nothing is opened yet.

        Args:
            hello: our name in EHLO.

        Raises:
            Misconfigured: the authority's file cannot be read.
        """
        self._server = server
        self._hello = hello
        self._tls = _tls_context(server)
        self._permits = asyncio.Semaphore(server.pool)
        self._idle: list[SmtpConnection] = []
        self._quitting: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def permit(self) -> AsyncIterator[None]:
        """The right to use one connection.

        Raises:
            Busy: none became free in time.
        """
        try:
            async with asyncio.timeout(self._server.wait_max.total_seconds()):
                await self._permits.acquire()
        except TimeoutError:
            raise Busy from None
        try:
            yield
        finally:
            self._permits.release()

    async def kept(self) -> SmtpConnection | None:
        """A connection that was kept and is still open, ready for a new transaction; None: there is none."""
        while (connection := self._pop()) is not None:
            if not connection.needs_reset:
                return connection
            try:
                await connection.smtp.rset()
            except (OSError, SMTPException):  # one less; the caller opens another
                connection.abort()
            except BaseException:
                connection.abort()
                raise
            else:
                connection.needs_reset = False
                return connection
        return None

    async def open(self, progress: CallProgress) -> SmtpConnection:
        """Connect, encrypt, greet, log in.

        Raises:
            OSError, SMTPException: it did not work; `progress` says how far it came.
        """
        progress.stage = Stage.CONNECT
        server = self._server
        smtp = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == SmtpTls.TLS,
            start_tls=server.tls == SmtpTls.STARTTLS,
            tls_context=self._tls,
            local_hostname=self._hello,
            timeout=None,  # the whole call has one
        )
        connection = SmtpConnection(smtp)
        try:
            await smtp.connect()
            _keep_alive(smtp)
            try:
                await smtp.ehlo()
            except SMTPHeloError:
                await smtp.helo()
            if server.user is not None:
                progress.stage = Stage.LOGIN
                await smtp.login(server.user, server.password.reveal() if server.password else "")
        except BaseException:
            connection.abort()
            raise
        return connection

    def keep(self, connection: SmtpConnection) -> None:
        """Put it back, or quit when it has carried its number of messages: load balancers want their turn."""
        if not connection.smtp.is_connected:
            return
        if connection.transactions >= self._server.messages_max:
            self._quit(connection)
            return
        loop = asyncio.get_running_loop()
        connection.expiry = loop.call_later(self._server.idle_max.total_seconds(), self._expire, connection)
        self._idle.append(connection)

    async def aclose(self) -> None:
        """Quit all that are idle; those at work belong to their calls."""
        while (connection := self._pop()) is not None:
            self._quit(connection)
        await asyncio.gather(*self._quitting)

    def _pop(self) -> SmtpConnection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.expiry is not None:
                connection.expiry.cancel()
            if connection.smtp.is_connected:
                return connection
        return None

    def _expire(self, connection: SmtpConnection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
            self._quit(connection)

    def _quit(self, connection: SmtpConnection) -> None:
        start("smtp quit", _quit(connection), among=self._quitting)


async def _quit(connection: SmtpConnection) -> None:
    with suppress(OSError, SMTPException, TimeoutError):  # it is closed either way
        async with asyncio.timeout(_QUIT_MAX):
            await connection.smtp.quit()
    connection.abort()


def _keep_alive(smtp: SMTP) -> None:
    """Waits may be long: the kernel asks whether the other side is still there, and ends dead connections."""
    connected = smtp.get_transport_info("socket")
    connected.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            connected.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)


def _tls_context(server: SmtpServer) -> ssl.SSLContext | None:
    if server.tls == SmtpTls.NONE:
        return None
    try:
        context = ssl.create_default_context(cafile=server.ca)
    except (OSError, ssl.SSLError) as error:
        raise Misconfigured(f"the authority's file {server.ca} cannot be used: {error}") from None
    if not server.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
