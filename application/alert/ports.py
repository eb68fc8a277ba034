"""Telling operators of dead letters."""

from datetime import datetime, timedelta
from typing import Protocol

import msgspec


class Appeared(msgspec.Struct, frozen=True, kw_only=True):
    """Open dead letters of one group that nobody was told of yet."""

    fingerprint: str
    mode: str
    channel: str
    provider: str | None
    count: int
    first_at: datetime
    last_at: datetime


class Alerts(Protocol):
    """Who is told of which, at least once.  Held to tests/contract/alerts.py."""

    async def claim(self, *, quiet: timedelta, span: timedelta) -> Appeared | None:
        """Take it upon us to tell of one group; None when there is nothing to tell.

        Args:
            quiet: a group that was told of so recently waits: others may join it.
            span: for so long nobody else tells of it; after that somebody does again.

        Raises:
            StoreUnavailable.
        """
        ...

    async def postpone(self, appeared: Appeared, pause: timedelta) -> None:
        """Nobody has taken it; it is told again after this pause, those that nobody was told of before it.

        Raises:
            StoreUnavailable: it is told again when the claim ends.
        """
        ...

    async def record_alerted(self, appeared: Appeared) -> None:
        """Somebody knows of these now.

        Raises:
            StoreUnavailable: they will be told of again.
        """
        ...


class OperatorsHook(Protocol):
    """Where operators want to be told.  Held to tests/adapters/test_alert_webhook.py."""

    async def post(self, id: str, body: bytes) -> None:  # noqa: A002  its name in the standard
        """Deliver one event (JSON); `id` is the same when it is sent again.

        Raises:
            Unavailable: not taken, and why.
        """
        ...
