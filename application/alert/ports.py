"""What alerts to operators need: claims on groups of dead letters, and the webhook."""

from datetime import datetime, timedelta
from typing import Protocol

import msgspec


class Appeared(msgspec.Struct, frozen=True, kw_only=True):
    """Open dead letters of one group for which no alert was sent yet."""

    fingerprint: str
    mode: str
    channel: str
    provider: str | None
    count: int
    first_at: datetime
    last_at: datetime


class Alerts(Protocol):
    """Which alerts were sent; each is sent at least once.  Held to tests/contract/alerts.py."""

    async def claim(self, *, quiet: timedelta, span: timedelta) -> Appeared | None:
        """Claim one group to alert operators to; None when there is nothing new.

        Args:
            quiet: a group that was alerted so recently is not returned.
            span: for so long no other process gets the group.

        Raises:
            StoreUnavailable.
        """
        ...

    async def postpone(self, appeared: Appeared, pause: timedelta) -> None:
        """The alert failed: it is due again after this pause, behind groups that were not tried yet.

        Raises:
            StoreUnavailable: it is due again when the claim ends.
        """
        ...

    async def record_alerted(self, appeared: Appeared) -> None:
        """Record that the alert was accepted.

        Raises:
            StoreUnavailable: the alert will be sent again.
        """
        ...


class OperatorsHook(Protocol):
    """The webhook of the operators.  Held to tests/adapters/test_alert_webhook.py."""

    async def post(self, id: str, body: bytes) -> None:  # noqa: A002  its name in the standard
        """Deliver one event (JSON); `id` is the same when it is sent again.

        Raises:
            Unavailable: not taken, and why.
        """
        ...
