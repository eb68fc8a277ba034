"""The queues to which the relay publishes nothing for now, at once or delayed, because they take nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from application.outbox.ports import Excluded, OutboxMessage
from application.outbox.relay import Relayed
from domain.kernel.errors import Unavailable
from entrypoints.engine.backoff import Backoff
from entrypoints.engine.telemetry import Telemetry

FIRST, LONGEST = 0.5, 30.0
"""Seconds between two tries of a queue that does not exist or refuses; they double."""
AWAY_LONGEST = 2.0
"""The longest pause while the broker takes nothing at all: once it is back it takes everything."""
ONE_LONGEST = 600.0
"""The longest pause of one message that failed though its queue took others."""
ROUTES_MAX, ONES_MAX = 10_000, 5_000

Route = tuple[str, bool]
"""A queue, and whether its messages are delayed."""


@dataclass(slots=True, kw_only=True)
class BlockedQueues:
    """Learns from the outcome of every batch."""

    telemetry: Telemetry
    _routes: Backoff[Route] = field(
        default_factory=lambda: Backoff(first=FIRST, longest=LONGEST, size=ROUTES_MAX)
    )
    _ones: Backoff[UUID] = field(
        default_factory=lambda: Backoff(first=FIRST, longest=ONE_LONGEST, size=ONES_MAX)
    )

    def is_blocked(self, message: OutboxMessage) -> bool:
        """Whether its queue takes nothing now."""
        now = _now()
        return self._routes.blocks((message.queue, False), now) or (
            message.due is not None and self._routes.blocks((message.queue, True), now)
        )

    def excluded(self) -> Excluded:
        """What the outbox is not to return now."""
        now = _now()
        routes = self._routes.blocked(now)
        return Excluded(
            queues=frozenset(queue for queue, ladder in routes if not ladder),
            delayed=frozenset(queue for queue, ladder in routes if ladder),
            ids=self._ones.blocked(now),
        )

    def learn(self, batch: Sequence[OutboxMessage], relayed: Relayed, *, answered: bool) -> bool:
        """Learn from the outcome of a batch; True when something failed that had not failed lately.

        Args:
            answered: the broker is not away; what it did not take has another cause.
        """
        done, now = set(relayed.confirmed), _now()
        open_ = dict.fromkeys(_route(message) for message in batch if message.id in done)
        for route in open_:
            if self._routes.succeed(route):
                self.telemetry.wide("relay.resumed", queue=route[0], delayed=route[1])
        if len(self._ones):
            for id_ in done:
                self._ones.succeed(id_)
        # A message on which our own code fails was tried alone: its queue is not the cause.
        left = [message for message in batch if message.id not in done]
        ones = [m for m in left if _route(m) in open_ or unforeseen(relayed)][: ONES_MAX - len(self._ones)]
        fresh = [message for message in ones if self._ones.fail(message.id, now)]
        if fresh and unforeseen(relayed):
            self.telemetry.trouble(
                "relay.poison", queue=fresh[0].queue, messages=len(fresh), exc_info=relayed.fault
            )
        news, alone = False, {message.id for message in ones}
        for route in dict.fromkeys(_route(message) for message in left if message.id not in alone):
            if route in open_:
                continue
            first = self._routes.fail(route, now, LONGEST if answered else AWAY_LONGEST)
            news = news or first
            if first and answered:
                self._report(route, batch, relayed)
        return news

    def _report(self, route: Route, batch: Sequence[OutboxMessage], relayed: Relayed) -> None:
        """Report a blocked queue; called once until it takes messages again."""
        queue, delayed = route
        if {m.id for m in batch if _route(m) == route}.isdisjoint(relayed.unroutable):
            reason = str(relayed.fault or "not confirmed")
            self.telemetry.trouble("relay.refused", queue=queue, delayed=delayed, reason=reason)
        else:
            self.telemetry.trouble(
                "relay.unroutable", queue=queue, delayed=delayed, mend="posthorn topology apply"
            )


def unforeseen(relayed: Relayed) -> bool:
    """Whether our own code failed, rather than a part that is away."""
    return relayed.fault is not None and not isinstance(relayed.fault, Unavailable)


def _route(message: OutboxMessage) -> Route:
    return message.queue, message.due is not None


def _now() -> float:
    return asyncio.get_running_loop().time()
