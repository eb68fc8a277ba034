"""Fetches files of the shop: only from where it is allowed, bounded in size and time, each once for many."""

import asyncio
import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

import aiohttp
from cachetools import TTLCache

from adapters.http.egress import Egress, Forbidden, Network
from domain.channel.parts import ATTACHMENTS_BYTES
from domain.kernel.errors import Unfetched

__all__ = ["FetchedFiles", "Network"]

KEPT_BYTES = 48 * 1024 * 1024
"""Of base64."""
AT_ONCE = 4
_OK = 200
_CHUNK = 65_536


@dataclass(slots=True, kw_only=True)
class FetchedFiles:
    """Implements `Files`.  Redirections are not followed; a server's own compression is refused.

    Args:
        networks: allowed though they are not public; see `Egress`.
        timeout: for one file, from connecting to its last byte.
        kept: a file is used again for so long.
        monotonic: seconds of a clock that never goes back.
        at_once: fetches that run at a time; others wait, within their time-out.
    """

    networks: Sequence[Network] = ()
    timeout: timedelta = timedelta(seconds=10)
    kept: timedelta = timedelta(minutes=1)
    monotonic: Callable[[], float]
    at_once: int = AT_ONCE
    _kept: TTLCache[str, str] = field(init=False)
    _under_way: dict[str, "asyncio.Task[str]"] = field(init=False, default_factory=dict)
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.at_once)
        seconds = self.kept.total_seconds()
        self._kept = TTLCache(KEPT_BYTES, seconds, timer=self.monotonic, getsizeof=len)

    async def fetch(self, url: str, most: int) -> str:
        """See `Files`."""
        content = self._kept.get(url)
        if content is None:
            content = await self._once(url)
        if len(content) * 3 // 4 > most + 2:  # base64 rounds up to three bytes
            detail = f"the attachments are more than {ATTACHMENTS_BYTES:,} bytes together"
            raise Unfetched(f"{_host(url)}: {detail}")
        return content

    async def _once(self, url: str) -> str:
        task = self._under_way.get(url)
        if task is None:
            task = asyncio.create_task(self._whole(url))
            self._under_way[url] = task
            task.add_done_callback(lambda done: self._ended(url, done))
        return await asyncio.shield(task)

    def _ended(self, url: str, task: "asyncio.Task[str]") -> None:
        del self._under_way[url]
        if not task.cancelled():
            task.exception()  # looked at: whoever waited may be gone

    async def _whole(self, url: str) -> str:
        """The file, from the web.

        Raises:
            Unfetched.
        """
        host = _host(url)
        try:
            async with asyncio.timeout(self.timeout.total_seconds()), self._turns:
                content = await self._read(url, host)
        except TimeoutError:
            seconds = self.timeout.total_seconds()
            raise Unfetched(f"{host}: an attachment was not there within {seconds:g} s") from None
        except aiohttp.ClientConnectorError as fault:
            why = str(fault.os_error) if isinstance(fault.os_error, Forbidden) else type(fault).__name__
            raise Unfetched(f"{host}: an attachment cannot be fetched: {why}") from None
        except (aiohttp.ClientError, OSError, ValueError) as fault:  # their words quote the URL
            raise Unfetched(f"{host}: an attachment cannot be fetched: {type(fault).__name__}") from None
        encoded = (await asyncio.to_thread(base64.b64encode, content)).decode()
        if len(encoded) <= KEPT_BYTES:
            self._kept[url] = encoded
        return encoded

    async def _read(self, url: str, host: str) -> bytes:
        secure = url[:8].lower() == "https://"
        egress = Egress(secure=secure, networks=self.networks)
        async with (
            egress.session(self.timeout) as session,
            session.get(url, allow_redirects=False, headers=_HEADERS) as answer,
        ):
            if answer.status != _OK:
                raise Unfetched(f"{host}: an attachment was answered with {answer.status}")
            if answer.headers.get("Content-Encoding", "identity").lower() != "identity":
                raise Unfetched(f"{host}: an attachment came compressed, which was not asked for")
            content = bytearray()
            async for chunk in answer.content.iter_chunked(_CHUNK):
                content += chunk
                if len(content) > ATTACHMENTS_BYTES:
                    raise Unfetched(f"{host}: an attachment has more than {ATTACHMENTS_BYTES:,} bytes")
        return bytes(content)


_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "Posthorn"}


def _host(url: str) -> str:
    """What may be said of a URL: its path may hold a secret."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
