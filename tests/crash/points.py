"""The boundaries at which a process is killed.

    CRASH_AT=after:settle:2     when the second settle has come back

    before   the call is not made
    half     the first half of the batch is done: published, deleted, acked; the rest is not
    during   the call is sent off; whether it is done, nobody waits to hear
    inside   every statement of the transaction has run; COMMIT is not sent
    after    the call has come back, and nobody has seen its result

A new boundary is a new `Place`: the container's name of a port (or of a use case: its method is `__call__`),
its method, and if not every call counts, which ones.  `lane`, `events`, `intake` are subscriptions, by queue.
"""

import os
import signal
from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn, Self

from application.intake.command import INTAKE
from application.outbox.pointers import decode
from domain.delivery.delivery import DeliveryStatus
from entrypoints.amqp.parking import PARKED

WHEN = ("before", "half", "during", "inside", "after")
AT, FLAW = "CRASH_AT", "CRASH_FLAW"
"""Environment of the child: its point, and the flaw it is given (see `child`)."""


class Point(NamedTuple):
    """Where a process dies: at the `nth` passing."""

    when: str
    where: str
    nth: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `WHEN:WHERE` or `WHEN:WHERE:N`."""
        when, where, *nth = text.split(":")
        if when not in WHEN or where not in {place.name for place in PLACES}:
            raise ValueError(f"no point: {text}")
        return cls(when, where, int(nth[0]) if nth else 1)

    def __str__(self) -> str:
        return f"{self.when}:{self.where}" + (f":{self.nth}" if self.nth > 1 else "")

    @property
    def epitaph(self) -> str:
        """What the process says last."""
        return f"killed at {self}"


def _any(_: Any) -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A boundary: calls of one method of one port.

    Args:
        asked: whether a call counts, by its first argument.
        got: whether one that has come back counts, by its result.
    """

    name: str
    port: str
    method: str
    asked: Callable[[Any], bool] = _any
    got: Callable[[Any], bool] = _any


def _some(wanted: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda given: any(map(wanted, given))


def _settles(status: DeliveryStatus) -> Callable[[Any], bool]:
    return _some(lambda settlement: settlement.status is status)


_to_lanes = _some(lambda message: message.queue.startswith("deliver.") and not message.queue.endswith(".dlq"))
_to_dead = _some(lambda message: message.queue.endswith(".dlq"))
_to_parked = _some(lambda message: message.queue == PARKED)
_to_intake = _some(lambda message: message.queue == INTAKE)

PLACES = (
    Place(name="accept", port="acceptance", method="accept"),
    Place(name="answer", port="submit_or_defer", method="__call__"),
    Place(name="publish", port="publisher", method="publish", asked=_to_lanes),
    Place(name="publish-later", port="delayed", method="publish_later"),
    Place(name="publish-dead", port="publisher", method="publish", asked=_to_dead),
    Place(name="park", port="publisher", method="publish", asked=_to_parked),
    Place(name="delete", port="outbox", method="delete"),
    Place(name="adopt", port="outbox", method="adopt", got=bool),
    Place(name="reload", port="outbox", method="owned", got=bool),
    Place(name="take", port="lane", method="take"),
    Place(
        name="take-packed",
        port="lane",
        method="take",
        got=_some(lambda message: len(decode(message.body)) > 1),
    ),
    Place(name="arrive", port="lane", method="take", got=_some(lambda message: "x-death" in message.headers)),
    Place(name="reissue", port="reissue", method="__call__"),
    Place(name="lease", port="deliveries", method="lease"),
    Place(
        name="take-over",
        port="deliveries",
        method="lease",
        got=lambda leases: any(leased.interrupted for leased in leases.taken),
    ),
    Place(name="replay", port="deliveries", method="lease", got=lambda leases: leases.replayed > 0),
    Place(name="begin", port="deliveries", method="begin", asked=bool),
    Place(name="call", port="gateway", method="send"),
    Place(name="settle", port="deliveries", method="settle", asked=_settles(DeliveryStatus.SENT)),
    Place(name="settle-retry", port="deliveries", method="settle", asked=_settles(DeliveryStatus.QUEUED)),
    Place(name="settle-dead", port="deliveries", method="settle", asked=_settles(DeliveryStatus.FAILED)),
    Place(name="settle-held", port="deliveries", method="settle", asked=_settles(DeliveryStatus.UNKNOWN)),
    Place(name="postpone", port="deliveries", method="postpone"),
    Place(name="ack", port="lane", method="ack"),
    Place(name="take-event", port="events", method="take"),
    Place(name="mirror", port="users", method="put"),
    Place(name="ack-event", port="events", method="ack"),
    Place(name="promise", port="publisher", method="publish", asked=_to_intake),
    Place(name="take-promise", port="intake", method="take"),
    Place(name="alias", port="intake_ids", method="alias"),
    Place(name="ack-promise", port="intake", method="ack"),
)


class Fuse:
    """Counts the passings of one point and kills its process at the last of them."""

    def __init__(self, point: Point | None) -> None:
        self.point = point
        self._left = point.nth if point else 0

    def lit(self, when: str, where: Collection[str]) -> bool:
        """Whether this passing is the one."""
        if self.point is None or self.point.when != when or self.point.where not in where:
            return False
        self._left -= 1
        return self._left == 0

    def passes(self, when: str, where: Collection[str]) -> None:
        """Go on, or die here."""
        if self.lit(when, where):
            self.blow()

    def blow(self) -> NoReturn:
        """SIGKILL, as an out-of-memory killer does: no handler, no buffer, no goodbye."""
        assert self.point is not None
        os.write(2, f"{self.point.epitaph}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("still alive")
