"""Posts signed events to the URL that the operator configured: Standard Webhooks 1.0, symmetric signatures.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import aiohttp

from adapters.http.egress import Egress, Forbidden
from adapters.http.signatures import signed
from domain.kernel.errors import Unavailable
from domain.kernel.secret import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedHook:
    """Implements `OperatorsHook`.  Each event gets a connection of its own: there are few."""

    url: Secret
    key: bytes = field(repr=False)
    """The part of `alerts.secret` behind `whsec_`, decoded."""
    now: Callable[[], datetime]
    egress: Egress
    timeout: timedelta = timedelta(seconds=10)
    """For a whole request, from connecting to the head of the answer."""

    async def post(self, id: str, body: bytes) -> None:  # noqa: A002  its name in the standard
        """See `OperatorsHook`.  Any 2xx is success; a redirection is not followed and counts as failure."""
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "Posthorn",
            **signed([self.key], id, int(self.now().timestamp()), body),
        }
        try:
            async with (
                self.egress.session(self.timeout) as session,
                session.post(self.url.reveal(), data=body, headers=headers, allow_redirects=False) as answer,
            ):
                status = answer.status
        except TimeoutError:
            raise Unavailable(f"no answer in {self.timeout.total_seconds():g} s") from None
        except aiohttp.ClientConnectorError as fault:
            if isinstance(fault.os_error, Forbidden):
                raise Unavailable(f"not called: {fault.os_error}") from None
            raise Unavailable(f"no answer: {type(fault).__name__}") from None
        except (aiohttp.ClientError, OSError, ValueError) as fault:  # their words quote the URL
            raise Unavailable(f"no answer: {type(fault).__name__}") from None
        if not 200 <= status < 300:
            raise Unavailable(f"answered {status}")
