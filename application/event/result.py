"""The result of one event: done, rejected for good, or to be tried again."""

import msgspec

from domain.kernel.errors import Fault


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """Handled.  All zero and no `update_users`: no trigger names this type of event."""

    accepted: int = 0
    """Notifications committed now."""
    absorbed: int = 0
    """Notifications that stood already, from the same command."""
    reused: int = 0
    """Commands whose key belongs to another command: nothing was made of them."""
    update_users: str | None = None
    """What became of the customer's row, or of the device's: a `UpdateOutcome`."""
    kept_out: tuple[Fault, ...] = ()
    """Values of a user that could not be read, and were left out."""

    @property
    def label(self) -> str:
        """For metrics: the most remarkable thing about it."""
        if self.reused:
            return "reused"
        if self.accepted:
            return "handled"
        if self.absorbed:
            return "absorbed"
        return self.update_users or "ignored"


class RejectedEvent(msgspec.Struct, frozen=True, kw_only=True):
    """It can never succeed as it is: for an operator to see."""

    reason: str
    """May quote the event: not for logs."""
    codes: tuple[str, ...]
    """What is wrong, without any of the event's data."""


class TryAgainLater(msgspec.Struct, frozen=True, kw_only=True):
    """A part that is needed is away: the event may succeed later; what is done is not repeated then."""

    reason: str


Result = Done | RejectedEvent | TryAgainLater
