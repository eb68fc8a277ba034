"""Ends a batch of messages: each is acked, or parked and then acked, or kept for another try."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from application.broker.ports import Outgoing, Publisher, Received
from domain.kernel.errors import BrokerUnavailable
from entrypoints.engine.consumer.disposition import Ack, Disposition, Park

T = TypeVar("T")
Judged = Sequence[tuple[T, Disposition]]
Ended = Sequence[tuple[T, Ack | Park]]


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of a batch."""

    left: Sequence[tuple[Received, Disposition]]
    """To be tried again: a part is away, or parking was not confirmed."""
    counts: Counter[str]
    """Messages by outcome, and what was made of them, for the log."""
    traces: list[str] = field(default_factory=list)


async def finish(
    judged: Judged[T],
    *,
    publisher: Publisher,
    ack: Callable[[Ended[T]], Awaitable[None]],
    park: Callable[[T, Park], Outgoing],
    report: Callable[[T, Park], None],
) -> list[tuple[T, Disposition]]:
    """Ack what is done; park what cannot be processed, and ack it once that is confirmed; return the rest.

    Args:
        park: makes the message for the parked queue.
        report: logs what was parked.

    Raises:
        BrokerUnavailable: an ack was lost.
    """
    done = [(item, disposition) for item, disposition in judged if isinstance(disposition, Ack)]
    if done:
        await ack(done)
    unprocessable = [(item, disposition) for item, disposition in judged if isinstance(disposition, Park)]
    outgoing = [park(item, disposition) for item, disposition in unprocessable]
    confirmed = await _confirmed(publisher, outgoing) if outgoing else frozenset()
    kept = [pair for pair, sent in zip(unprocessable, outgoing, strict=True) if sent.id in confirmed]
    for item, disposition in kept:
        report(item, disposition)
    if kept:
        await ack(kept)
    ended = {id(item) for item, _ in (*done, *kept)}
    return [(item, disposition) for item, disposition in judged if id(item) not in ended]


async def _confirmed(publisher: Publisher, messages: Sequence[Outgoing]) -> frozenset[UUID]:
    try:
        return frozenset((await publisher.publish(messages)).confirmed)
    except BrokerUnavailable:
        return frozenset()
