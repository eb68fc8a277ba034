"""Several channels of one recipient: with `first` each waits for its turn, and one message is enough."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from uuid import UUID

from domain.delivery.delivery import DeliveryStatus
from domain.delivery.policy import RetryPolicy
from tests.simulation.policies import POLICIES
from tests.simulation.provider import Line
from tests.support.memory.rows import DeliveryRow

if TYPE_CHECKING:
    from tests.simulation.world import World

_S = DeliveryStatus


def policy_of(world: "World", row: DeliveryRow) -> RetryPolicy:
    """That of its class, as long as it is its turn."""
    notification = world.rows.notifications[row.notification_id]
    policy = POLICIES[notification.klass]
    return policy if row.rank is None else policy.in_turn(row.rank, len(notification.routes))


def out_of_turn(world: "World", row: DeliveryRow) -> Iterator[str]:
    """What is wrong with a call now: a channel before it has not failed."""
    for other in _chain(world, row):
        if (other.rank or 0) < (row.rank or 0) and other.status is not _S.FAILED:
            yield f"on {row.channel}, while {other.channel} is {other.status}"


def behind_a_held_one(world: "World", row: DeliveryRow) -> bool:
    """Whether it waits for somebody to resolve a call before it."""
    return any(
        (other.rank or 0) < (row.rank or 0) and other.status is _S.UNKNOWN for other in _chain(world, row)
    )


def handed_over(world: "World", row: DeliveryRow) -> bool:
    """Whether its failure gave another channel its turn, so that it is no dead letter."""
    why = f"{row.channel} failed"
    return any(
        step.status is _S.QUEUED and (step.reason or "").startswith(why)
        for other in _chain(world, row)
        for step in world.rows.history[other.id]
    )


def sent_on_two(world: "World", lines: Mapping[UUID, Sequence[Line]]) -> Iterator[str]:
    """Two channels of one recipient carried the message, though nothing about the first was unknown."""
    chains: dict[tuple[UUID, UUID], list[DeliveryRow]] = defaultdict(list)
    for row in world.rows.deliveries.values():
        if row.rank is not None:
            chains[row.notification_id, row.user_id].append(row)
    for chain in chains.values():
        out = [row for row in chain if any(line.taken for line in lines.get(row.id, ()))]
        first = sorted(out, key=lambda row: row.rank or 0)[:-1]
        for row in first:
            attempts = world.rows.attempts[row.id].values()
            if not any(attempt.outcome == "unknown" for attempt in attempts):
                yield f"delivery {row.id}: was sent on {row.channel}, and on another channel, too"


def _chain(world: "World", row: DeliveryRow) -> list[DeliveryRow]:
    if row.rank is None:
        return []
    return [other for other in world.rows.deliveries_of(row.notification_id) if other.user_id == row.user_id]
