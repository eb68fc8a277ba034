"""HTTP/2 calls of a provider account, over one connection: outcomes as of `kit.http`.

A call that is given up leaves its stream open, and nobody knows whether the connection still lives: what
comes after it gets a new one, and the old one is closed with its last call.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass

import httpx2

from adapters.providers.kit.http import READ_MAX, HttpAnswer, HttpSettings, NoAnswer, NoConnection, Unsent
from adapters.providers.kit.http_progress import HttpProgress

CALLS_PER_CONNECTION = 100_000
"""After so many a new one is opened, long before stream ids run out."""


@dataclass(slots=True, eq=False)
class _Http2Connection:
    client: httpx2.AsyncClient
    made: int = 0
    """Calls, ever."""
    running: int = 0
    retired: bool = False


class Http2Calls:
    """The connection of one account.  It opens with the first call."""

    def __init__(self, settings: HttpSettings, tls: ssl.SSLContext | None = None) -> None:
        """
        Args:
            tls: None: the system's certificates.
        """
        self._timeout = settings.timeout.total_seconds()
        self._tls = tls
        self._slots = asyncio.Semaphore(settings.pool)
        self._connection: _Http2Connection | None = None
        self._open: set[_Http2Connection] = set()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """Make one call within the settings' time-out.

        Raises:
            Unsent: nothing went out.
            NoAnswer: it went out, and no answer came.
        """
        progress = HttpProgress()
        try:
            async with asyncio.timeout(self._timeout), self._slots:
                progress.connected = True
                return await self._posted(url, headers, body, progress)
        except TimeoutError:
            if progress.sent:
                raise NoAnswer(f"no answer within {self._timeout:g} s") from None
            raise (Unsent if progress.connected else NoConnection)(
                f"no connection within {self._timeout:g} s"
            ) from None
        except (
            httpx2.HTTPError,
            httpx2.InvalidURL,
            OSError,
            ValueError,
        ) as error:  # words quote URLs
            raise (NoAnswer if progress.sent else Unsent)(type(error).__name__) from None

    async def aclose(self) -> None:
        """Close the connections."""
        for connection in tuple(self._open):
            await self._close(connection)

    async def _posted(
        self, url: str, headers: Mapping[str, str], body: bytes, progress: HttpProgress
    ) -> HttpAnswer:
        async def trace(event: str, _: object) -> None:
            if event == "http2.send_request_headers.started":
                progress.sent = True

        connection = self._connected()
        connection.running += 1
        try:
            async with connection.client.stream(
                "POST", url, headers=headers, content=body, extensions={"trace": trace}
            ) as answer:
                content = bytearray()
                async for part in answer.aiter_raw():
                    content += part
                    if len(content) > READ_MAX:
                        break
                return HttpAnswer(
                    answer.status_code, answer.headers, bytes(content[:READ_MAX]), len(content) <= READ_MAX
                )
        except BaseException:
            self._retire(connection)
            raise
        finally:
            connection.running -= 1
            if connection.retired and not connection.running:
                await self._close(connection)

    def _connected(self) -> _Http2Connection:
        if self._connection is not None and self._connection.made >= CALLS_PER_CONNECTION:
            self._retire(self._connection)
        if self._connection is None:
            client = httpx2.AsyncClient(
                http1=False,
                http2=True,
                verify=True if self._tls is None else self._tls,
                timeout=None,
                follow_redirects=False,
                trust_env=False,
                headers={"User-Agent": "Posthorn", "Accept-Encoding": "identity"},
                limits=httpx2.Limits(max_connections=1, keepalive_expiry=None),
            )
            self._connection = _Http2Connection(client)
            self._open.add(self._connection)
        self._connection.made += 1
        return self._connection

    def _retire(self, connection: _Http2Connection) -> None:
        connection.retired = True
        if self._connection is connection:
            self._connection = None

    async def _close(self, connection: _Http2Connection) -> None:
        self._retire(connection)
        if connection in self._open:
            self._open.discard(connection)
            await connection.client.aclose()
