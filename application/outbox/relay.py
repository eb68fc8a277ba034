"""Relay committed messages: publish with confirms, then delete, set-wise.

Deleting comes strictly after the confirm: a crash in between publishes twice, and then one pointer is stale.
What is to wait waits at the broker, for a span: its clock has no part in it.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.broker.ports import DelayedPublisher, Outgoing, Published, Publisher
from application.kernel.ports import Clock
from application.outbox.ports import Outbox, OutboxMessage

WAIT_MIN = timedelta(seconds=1)
"""Of what has a time, though it seems to have come: who is mistaken about it goes round no faster."""


class Relayed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a batch; what is in neither list stands in the outbox still."""

    confirmed: list[UUID]
    unroutable: list[UUID]
    fault: Exception | None = None
    """Why a part of it, or all, was not published: BrokerUnavailable, or what nobody foresaw."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayOutbox:
    """Publishes a batch.  `clock` is the one that all processes share: it tells how long a message waits."""

    outbox: Outbox
    publisher: Publisher
    delayed: DelayedPublisher
    clock: Clock

    async def __call__(self, messages: Sequence[OutboxMessage]) -> Relayed:
        """Publish now or onto the ladder, delete what was confirmed; one way may fail alone.

        Raises:
            StoreUnavailable: what was published may be published again.
        """
        now = self.clock.now()
        prompt = [_outgoing(m, now) for m in messages if m.due is None]
        later = [_outgoing(m, now) for m in messages if m.due is not None]
        results = await asyncio.gather(
            self.publisher.publish(prompt) if prompt else _nothing(),
            self.delayed.publish_later(later) if later else _nothing(),
            return_exceptions=True,
        )
        done, faults = list[Published](), list[Exception]()
        for result in results:
            if isinstance(result, Published):
                done.append(result)
            elif isinstance(result, Exception):
                faults.append(result)
            else:
                raise result
        confirmed = [id_ for published in done for id_ in published.confirmed]
        if confirmed:
            await self.outbox.delete(confirmed)
        return Relayed(
            confirmed=confirmed,
            unroutable=[id_ for published in done for id_ in published.unroutable],
            fault=faults[0] if faults else None,
        )


async def _nothing() -> Published:
    return Published([], [])


def _outgoing(message: OutboxMessage, now: datetime) -> Outgoing:
    wait = max(message.due - now, WAIT_MIN) if message.due is not None else None
    return Outgoing(
        id=message.id, queue=message.queue, body=message.body, headers=message.headers, delay=wait
    )
