"""Ask providers what became of calls without an answer, before anything is sent again.

Only for classes whose policy is `reconcile`: others never get here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.attempt.ports import OpenCalls
from application.delivery.ports import Leased
from application.provider.ports import Lookups
from domain.delivery.policy import OnUnknown, RetryPolicy
from domain.delivery.reconcile import Ask, OpenCall, Reconciled, after, plan
from domain.kernel.channel import NotificationClass

Calls = tuple[OpenCall, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReconcileCalls:
    """Finds the open calls of deliveries, and asks about them."""

    calls: OpenCalls
    lookups: Lookups
    policies: Mapping[NotificationClass, RetryPolicy]

    async def find(self, leased: Sequence[Leased]) -> Mapping[UUID, Calls]:
        """The open calls of these deliveries, as far as their classes reconcile.

        Raises:
            StoreUnavailable.
        """
        wanted = [each.id for each in leased if each.attempts_counted and self.reconciles(each.klass)]
        return await self.calls.of(wanted) if wanted else {}

    def answerable(self, klass: NotificationClass, provider: str) -> bool:
        """Whether it can be known what became of a call to this provider, and the class wants to."""
        return self.reconciles(klass) and self.lookups.certainty(provider) is not None

    async def ask(self, delivery: UUID, calls: Calls, now: datetime) -> Reconciled:
        """Learn what became of the open calls of a delivery, all to one provider; raises nothing.

        Args:
            now: aware UTC.
        """
        provider = calls[-1].provider
        planned = plan(calls, self.lookups.certainty(provider), now)
        if not isinstance(planned, Ask):
            return planned
        attempts = frozenset(call.attempt for call in calls)
        finding = await self.lookups.find(provider, delivery, attempts)
        return after(finding, calls, planned.certainty, now)

    def reconciles(self, klass: NotificationClass) -> bool:
        """Whether the class wants to know what became of a call before anything is sent again."""
        return self.policies[klass].on_unknown is OnUnknown.RECONCILE
