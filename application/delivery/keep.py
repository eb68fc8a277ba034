"""Renews the leases of long calls: a mail relay may scan a message for minutes before it answers.

Leases are short, so that the deliveries of a dead worker are soon taken over; a living one renews them.
"""

from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import msgspec

from application.delivery.ports import Renewals
from application.kernel.ports import Clock


class UnderWay(msgspec.Struct, frozen=True):
    """A call that has not ended, and when its lease was last made (monotonic seconds)."""

    attempt: int
    leased_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepLeases:
    """Called every second: there is nothing to do while calls are quick.

    Args:
        under_way: of `CallProvider`.
        lease: as in `BeginDeliveries`.
    """

    renewals: Renewals
    under_way: MutableMapping[UUID, UnderWay]
    clock: Clock
    lease: timedelta

    async def __call__(self) -> None:
        """Renew the leases of which a third is over.

        Raises:
            StoreUnavailable: try again with the next call.
        """
        now = self.clock.monotonic()
        old = now - self.lease.total_seconds() / 3
        due = {id_: call for id_, call in self.under_way.items() if call.leased_at < old}
        if not due:
            return
        kept = await self.renewals.renew({id_: c.attempt for id_, c in due.items()}, lease=self.lease)
        for id_, call in due.items():
            if id_ in kept and self.under_way.get(id_) is call:
                self.under_way[id_] = msgspec.structs.replace(call, leased_at=now)
