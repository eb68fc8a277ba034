"""How a batch of messages ends: acked, parked and then acked, or kept for another try."""

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar
from uuid import UUID

from application.broker.ports import Outgoing, Publisher, Received
from domain.kernel.errors import BrokerUnavailable
from entrypoints.engine.consumer.verdict import Ack, Park, Verdict

T = TypeVar("T")
Judged = Sequence[tuple[T, Verdict]]
Ended = Sequence[tuple[T, Ack | Park]]


@dataclass(frozen=True, slots=True)
class Worked:
    """How far a batch came."""

    left: Sequence[tuple[Received, Verdict]]
    """Not done: a part is away, or parking was not confirmed."""
    counts: Counter[str]
    """By outcome, and what was made."""
    traces: list[str] = field(default_factory=list)


async def finish(
    judged: Judged[T],
    *,
    publisher: Publisher,
    ack: Callable[[Ended[T]], Awaitable[None]],
    letter: Callable[[T, Park], Outgoing],
    tell: Callable[[T, Park], None],
) -> list[tuple[T, Verdict]]:
    """Ack what is done; park what is unfit, and ack it when that is confirmed; return what is left.

    Args:
        letter: the message for the parked queue.
        tell: says what was parked.

    Raises:
        BrokerUnavailable: an ack was lost.
    """
    done = [(item, verdict) for item, verdict in judged if isinstance(verdict, Ack)]
    if done:
        await ack(done)
    unfit = [(item, verdict) for item, verdict in judged if isinstance(verdict, Park)]
    letters = [letter(item, park) for item, park in unfit]
    confirmed = await _confirmed(publisher, letters) if letters else frozenset()
    there = [pair for pair, sent in zip(unfit, letters, strict=True) if sent.id in confirmed]
    for item, park in there:
        tell(item, park)
    if there:
        await ack(there)
    ended = {id(item) for item, _ in (*done, *there)}
    return [(item, verdict) for item, verdict in judged if id(item) not in ended]


async def _confirmed(publisher: Publisher, letters: Sequence[Outgoing]) -> frozenset[UUID]:
    try:
        return frozenset((await publisher.publish(letters)).confirmed)
    except BrokerUnavailable:
        return frozenset()
