"""Calls to a service of AWS: signed, and by its clock when ours is wrong.

AWS refuses what is signed more than five minutes away from its own time.  Nothing was sent then, so the call
is made again, once, by the time that the answer was given at; later calls go by that from the start.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from adapters.providers.kit.http import HttpAnswer, HttpCalls
from adapters.providers.kit.sigv4 import Signer
from application.kernel.ports import Clock

SKEW_MIN = timedelta(minutes=4)
"""What is less cannot be the reason of a refusal."""


@dataclass(slots=True, kw_only=True)
class AwsCalls:
    """The signed calls of one account."""

    calls: HttpCalls
    signer: Signer
    clock: Clock
    _skew: timedelta = field(default_factory=timedelta)
    """How far AWS is ahead of us."""

    async def post(self, url: str, content_type: str, body: bytes) -> HttpAnswer:
        """Make one call, or two.

        Raises:
            Unsent, NoAnswer: as `HttpCalls.call`.
        """
        answer = await self._once(url, content_type, body)
        if answer.status not in {400, 403} or (ahead := self._ahead(answer)) is None:
            return answer
        if abs(ahead - self._skew) < SKEW_MIN:
            return answer
        self._skew = ahead
        return await self._once(url, content_type, body)

    async def aclose(self) -> None:
        """Close the connections."""
        await self.calls.aclose()

    async def _once(self, url: str, content_type: str, body: bytes) -> HttpAnswer:
        headers = self.signer.signed(url, content_type, body, self.clock.now() + self._skew)
        return await self.calls.call("POST", url, headers=headers, body=body)

    def _ahead(self, answer: HttpAnswer) -> timedelta | None:
        """By the answer's Date; None: it has none."""
        try:
            at: datetime = parsedate_to_datetime(answer.headers.get("Date", ""))
        except (ValueError, TypeError):
            return None
        return (at if at.tzinfo else at.replace(tzinfo=UTC)) - self.clock.now()
