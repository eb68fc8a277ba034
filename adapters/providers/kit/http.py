"""HTTP calls of a provider account: one session, a bound for everything, and how far a call came.

    connecting, TLS or DNS fails, no connection is free   `Unsent`: nothing went out
    no answer after that, or one that is no HTTP          `NoAnswer`: it may have been sent
    any answer                                            `HttpAnswer`: its status counts, whatever its body

No redirection is followed, no proxy of the environment is used, and nothing is sent a second time.
"""

import asyncio
import ssl
from collections.abc import Mapping
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Annotated

import aiohttp
import msgspec
from msgspec import Meta

from adapters.http.egress import Egress, Forbidden
from adapters.providers.kit.error_kinds import ErrorKind, kind_of_status, outcome_of
from adapters.providers.kit.host_places import HostPlaces, NoPlace
from adapters.providers.kit.http_body import read_bounded
from adapters.providers.kit.http_bounds import HttpBounds
from adapters.providers.kit.http_progress import HttpProgress, error_name, progress_trace
from adapters.providers.kit.redaction import redacted
from adapters.providers.kit.settings import ProviderSettings
from domain.kernel.bounds import Count
from domain.kernel.json_values import Json
from domain.provider.outcome import Deferred, NotCalled, Outcome, Refused, Unknown

READ_MAX = 256 * 1024
"""Bytes read of an answer; what comes after is left, and the connection is closed."""
REASON_MAX = 300
"""Characters of a provider's words that are looked at."""
RETRY_AFTER_MAX = timedelta(hours=24)
IDLE_MAX = 10.0
"""Seconds that a connection is kept without a call: less than the shortest idle time of servers, or a call
would go out on one that is being closed, and nobody would know what became of it."""


class HttpSettings(ProviderSettings, frozen=True):
    """What every provider with an HTTP API is set up with."""

    url: Annotated[str | None, Meta(description="where its API is, if not where the provider has it")] = None
    pool: Annotated[Count, Meta(description="connections of one process, so calls at a time")] = 20
    timeout: Annotated[timedelta, Meta(description="longest time of a call; at most `engine.call_max`")] = (
        timedelta(seconds=10)
    )

    @property
    def calls_max(self) -> int:
        """A call needs a connection; a batch is one call."""
        return self.pool * self.capabilities.batch_max

    @property
    def begins_within(self) -> timedelta:
        """See `ProviderSettings`."""
        return self.timeout


class Unsent(Exception):
    """Nothing went out; the text says why."""


class NoConnection(Unsent):
    """No connection became free in time."""


class OffLimits(Unsent):
    """The URL leads where it may not; the text says where that is."""


class NoAnswer(Exception):
    """The request went out, and no answer came that can be read; the text says what came instead."""


class HttpAnswer(msgspec.Struct, frozen=True):
    """An answer, whatever it says."""

    status: int
    headers: Mapping[str, str]
    """Names in any case."""
    body: bytes
    """At most `READ_MAX` bytes; empty when it broke off."""
    whole: bool = True
    """False: it broke off, or there was more."""

    @property
    def successful(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300

    def json(self) -> Json:
        """The body as JSON; None when it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return None

    def retry_after(self, now: datetime) -> timedelta | None:
        """How long to wait, by Retry-After in seconds or as a date; None: it does not say."""
        asked = self.headers.get("Retry-After", "").strip()
        try:
            wait = timedelta(seconds=float(asked))
        except (ValueError, OverflowError):
            try:
                at = parsedate_to_datetime(asked)
                wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
            except (ValueError, TypeError):
                return None
        return min(max(wait, timedelta()), RETRY_AFTER_MAX)


class HttpCalls:
    """The connections of one account.  They open with the first call."""

    def __init__(
        self,
        settings: HttpSettings | HttpBounds,
        *,
        tls: ssl.SSLContext | None = None,
        headers: Mapping[str, str] = {},
        egress: Egress | None = None,
        per_host: int | None = None,
    ) -> None:
        """
        Args:
            tls: None: the system's certificates.
            headers: sent with every call.
            egress: where URLs that come from outside may lead; None: anywhere.
            per_host: calls to one host at a time; None: as many as there are connections.
        """
        self._egress = egress
        self._places = None if per_host is None else HostPlaces(per_host)
        self._pool = settings.pool
        self._timeout = settings.timeout.total_seconds()
        self._tls = tls
        self._headers = {"Accept": "application/json", "User-Agent": "Posthorn", **headers}
        self._session: aiohttp.ClientSession | None = None

    async def call(
        self, method: str, url: str, *, headers: Mapping[str, str] = {}, body: bytes | None = None
    ) -> HttpAnswer:
        """Make one call within the settings' time-out.

        Raises:
            Unsent: nothing went out.
            NoAnswer: it went out, and no answer came.
        """
        progress = HttpProgress()
        try:
            async with (
                self._places.of(url) if self._places else nullcontext(),
                asyncio.timeout(self._timeout),
                self._connected().request(
                    method, url, data=body, headers=headers, allow_redirects=False, trace_request_ctx=progress
                ) as answer,
            ):
                content, whole = await read_bounded(answer, READ_MAX)
                return HttpAnswer(answer.status, answer.headers, content, whole)
        except NoPlace as none:
            raise NoConnection(str(none)) from None
        except TimeoutError:
            if progress.sent:
                raise NoAnswer(f"no answer within {self._timeout:g} s") from None
            raise (Unsent if progress.connected else NoConnection)(
                f"no connection within {self._timeout:g} s"
            ) from None
        except aiohttp.ClientConnectorError as error:
            if isinstance(error.os_error, Forbidden):
                raise OffLimits(str(error.os_error)) from None
            raise Unsent(error_name(error)) from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise (NoAnswer if progress.sent else Unsent)(error_name(error)) from None

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _connected(self) -> aiohttp.ClientSession:
        if self._session is None:  # it belongs to the running loop
            self._session = aiohttp.ClientSession(
                headers={**self._headers, "Accept-Encoding": "identity"},
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=None),  # `call` has its own
                connector=aiohttp.TCPConnector(
                    limit=self._pool,
                    keepalive_timeout=IDLE_MAX,
                    ssl=True if self._tls is None else self._tls,
                    socket_factory=self._egress.socket if self._egress else None,
                ),
                trace_configs=[progress_trace()],
                trust_env=False,
            )
        return self._session


def not_answered(error: Unsent | NoAnswer) -> Outcome:
    """The outcome of a call without an answer."""
    match error:
        case NoConnection():
            return NotCalled("all connections are at work")
        case OffLimits():
            return Refused(f"not called: {error}", examined=False)
        case Unsent():
            return Deferred(f"connecting: {error}", examined=False)
        case _:
            return Unknown(str(error))


def error_outcome(
    answer: HttpAnswer,
    now: datetime,
    fault: ErrorKind | None = None,
    *,
    code: object = None,
    words: object = None,
    retry_after: timedelta | None = None,
) -> Outcome:
    """The outcome of an answer that is no success.

    Args:
        fault: as the provider's table has it; None: the status decides.
        code, words: the provider's own; the words are redacted.
        retry_after: where it says so elsewhere than in Retry-After.
    """
    said = redacted(str(words)[:REASON_MAX]) if words else ""
    reason = " ".join(filter(None, (str(answer.status), str(code)[:64] if code is not None else "", said)))
    return outcome_of(fault or kind_of_status(answer.status), reason, answer.retry_after(now) or retry_after)


def no_reference(answer: HttpAnswer) -> Outcome:
    """The outcome of a success that names no id: no receipt would find the message."""
    return Unknown(f"{answer.status}, and no id in the answer")
