"""Access tokens of OAuth 2.0 for a signed assertion (RFC 7523), kept until shortly before they expire.

However many calls need one, one request is under way.  None of its ends is `Unknown`: no message goes out
before there is a token.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from adapters.providers.kit.error_kinds import ErrorKind
from adapters.providers.kit.http import HttpAnswer, HttpCalls, NoAnswer, Unsent, error_outcome, not_answered
from adapters.providers.kit.requests import FORM, form
from application.kernel.ports import Clock
from application.kernel.supervision import start
from domain.kernel.json_values import Json
from domain.provider.outcome import AccountFault, Deferred, Outcome, Refused, Unknown

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
RENEWED_BEFORE = 300.0
"""Seconds before it expires that a token is used for the last time."""


class AccessToken(msgspec.Struct, frozen=True):
    """A token; times are monotonic seconds."""

    value: str
    since: float
    until: float


@dataclass(slots=True, kw_only=True)
class AccessTokens:
    """The access token of one account.

    Args:
        url: where tokens are given.
        assertion: signs a new one; ValueError: the key cannot sign.
    """

    calls: HttpCalls
    url: str
    assertion: Callable[[], str]
    clock: Clock
    _token: AccessToken | None = None
    _waiting: "asyncio.Future[AccessToken | Outcome] | None" = None
    _tasks: "set[asyncio.Task[None]]" = field(default_factory=set)

    async def get(self) -> AccessToken | Outcome:
        """A token that lasts for a call, or what becomes of the message for want of one."""
        if self._token is not None and self.clock.monotonic() < self._token.until:
            return self._token
        if self._waiting is None:
            self._waiting = asyncio.get_running_loop().create_future()
            start("access token", self._renew(self._waiting), among=self._tasks)
        return await asyncio.shield(self._waiting)

    def discard(self, token: AccessToken) -> timedelta:
        """Use it no more; returns its age."""
        if self._token == token:
            self._token = None
        return timedelta(seconds=self.clock.monotonic() - token.since)

    async def aclose(self) -> None:
        """Close the connections."""
        for task in self._tasks:
            task.cancel()
        await self.calls.aclose()

    async def _renew(self, waiting: "asyncio.Future[AccessToken | Outcome]") -> None:
        try:
            got = await self._fetch()
            if isinstance(got, AccessToken):
                self._token = got
            waiting.set_result(got)
        finally:
            self._waiting = None
            if not waiting.done():
                waiting.set_result(Deferred("access token: none came", examined=False))

    async def _fetch(self) -> AccessToken | Outcome:
        since = self.clock.monotonic()
        try:
            answer = await self.calls.call(
                "POST",
                self.url,
                headers=FORM,
                body=form({"grant_type": GRANT, "assertion": self.assertion()}),
            )
        except Unsent as error:
            return not_answered(error)
        except NoAnswer as error:
            return Deferred(f"access token: {error}", examined=False)
        except ValueError:
            return AccountFault("access token: the key cannot sign")
        said = answer.json()
        members = said if isinstance(said, dict) else {}
        token, lasts = members.get("access_token"), members.get("expires_in")
        if answer.successful and isinstance(token, str) and isinstance(lasts, int | float):
            return AccessToken(token, since, since + max(lasts - RENEWED_BEFORE, 0))
        return self._refusal(answer, members)

    def _refusal(self, answer: HttpAnswer, members: dict[str, Json]) -> Outcome:
        code = members.get("error")
        fault = ErrorKind.TEMPORARY if answer.successful else None
        match error_outcome(answer, self.clock.now(), fault, code=code):
            case Deferred(reason, retry_after):
                return Deferred(f"access token: {reason}", retry_after=retry_after, examined=False)
            case Unknown(reason):
                return Deferred(f"access token: {reason}", examined=False)
            case AccountFault(reason) | Refused(reason):
                return AccountFault(f"access token: {reason}")
            case outcome:
                return outcome
