"""Which ways of the relay are closed: a queue, at once or by the ladder, that takes nothing for now."""

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
"""Seconds between two tries of a queue that is not there, or refuses: they double."""
AWAY_LONGEST = 2.0
"""While the broker takes nothing at all: it will take everything when it is back."""
ONE_LONGEST = 600.0
"""Of one message that failed though its queue took others."""
WAYS_MAX, ONES_MAX = 10_000, 5_000

Way = tuple[str, bool]
"""Queue, and whether by the ladder."""


@dataclass(slots=True, kw_only=True)
class BlockedQueues:
    """Learns from every batch."""

    telemetry: Telemetry
    _ways: Backoff[Way] = field(default_factory=lambda: Backoff(first=FIRST, longest=LONGEST, size=WAYS_MAX))
    _ones: Backoff[UUID] = field(
        default_factory=lambda: Backoff(first=FIRST, longest=ONE_LONGEST, size=ONES_MAX)
    )

    def closed(self, message: OutboxMessage) -> bool:
        """Whether its way takes nothing now."""
        now = _now()
        return self._ways.rests((message.queue, False), now) or (
            message.due is not None and self._ways.rests((message.queue, True), now)
        )

    def excluded(self) -> Excluded:
        """What the outbox need not show now."""
        now = _now()
        ways = self._ways.resting(now)
        return Excluded(
            queues=frozenset(queue for queue, ladder in ways if not ladder),
            delayed=frozenset(queue for queue, ladder in ways if ladder),
            ids=self._ones.resting(now),
        )

    def note(self, batch: Sequence[OutboxMessage], relayed: Relayed, *, answered: bool) -> bool:
        """What became of a batch; True when something failed that had not failed lately.

        Args:
            answered: the broker was there, and what it did not take is not to be blamed on its absence.
        """
        done, now = set(relayed.confirmed), _now()
        open_ = dict.fromkeys(_way(message) for message in batch if message.id in done)
        for way in open_:
            if self._ways.over(way):
                self.telemetry.wide("relay.resumed", queue=way[0], delayed=way[1])
        if len(self._ones):
            for id_ in done:
                self._ones.over(id_)
        # What our own code fails on was tried alone: its queue is not to be blamed.
        left = [message for message in batch if message.id not in done]
        ones = [m for m in left if _way(m) in open_ or unforeseen(relayed)][: ONES_MAX - len(self._ones)]
        fresh = [message for message in ones if self._ones.fail(message.id, now)]
        if fresh and unforeseen(relayed):
            self.telemetry.trouble(
                "relay.poison", queue=fresh[0].queue, messages=len(fresh), exc_info=relayed.fault
            )
        news, alone = False, {message.id for message in ones}
        for way in dict.fromkeys(_way(message) for message in left if message.id not in alone):
            if way in open_:
                continue
            first = self._ways.fail(way, now, LONGEST if answered else AWAY_LONGEST)
            news = news or first
            if first and answered:
                self._say(way, batch, relayed)
        return news

    def _say(self, way: Way, batch: Sequence[OutboxMessage], relayed: Relayed) -> None:
        """Once, until the way is open again."""
        queue, delayed = way
        if {m.id for m in batch if _way(m) == way}.isdisjoint(relayed.unroutable):
            reason = str(relayed.fault or "not confirmed")
            self.telemetry.trouble("relay.refused", queue=queue, delayed=delayed, reason=reason)
        else:
            self.telemetry.trouble(
                "relay.unroutable", queue=queue, delayed=delayed, mend="posthorn topology apply"
            )


def unforeseen(relayed: Relayed) -> bool:
    """Whether our own code fails on one of them."""
    return relayed.fault is not None and not isinstance(relayed.fault, Unavailable)


def _way(message: OutboxMessage) -> Way:
    return message.queue, message.due is not None


def _now() -> float:
    return asyncio.get_running_loop().time()
