"""An attempt that is committed: the call to make."""

from datetime import datetime

import msgspec

from application.delivery.ports import Leased
from application.delivery.push import PushPlan
from application.privacy.ports import DataKey
from application.provider.ports import Route
from domain.delivery.reconcile import OpenCall
from domain.notification.request import Profile


class ChosenRoute(msgspec.Struct, frozen=True):
    """The provider of an attempt, and those beside it that have not failed in this round."""

    route: Route
    others: tuple[str, ...]


class CommittedCall(msgspec.Struct, frozen=True, kw_only=True):
    """An attempt that is committed and may be made now."""

    leased: Leased
    key: DataKey
    profile: Profile
    address: str
    route: Route
    open_calls: tuple[OpenCall, ...] = ()
    """Earlier calls to this provider without an answer: it is asked what became of them first."""
    others: tuple[str, ...] = ()
    """Providers that have not failed with it in this round, beside the one that is called."""
    begun: float
    """Monotonic seconds just before the lease: its end and the clearance's age are counted from here."""
    facts_at: datetime
    """The database's clock at the lease; it decides, not the machine's."""
    push: PushPlan | None = None
    heard: float
    """Monotonic seconds just after the lease: what the database's clock shows is counted on from here."""

    @property
    def provider(self) -> str:
        """Which is called."""
        return self.route.provider
