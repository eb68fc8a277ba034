"""Commit attempts before their calls; one that cannot be committed does not hold its neighbours up."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from application.delivery.ports import Begin, Deliveries
from domain.kernel.errors import Unavailable


async def commit_attempts(
    deliveries: Deliveries, attempts: Sequence[Begin], cleared_at: datetime
) -> tuple[set[UUID], dict[UUID, str]]:
    """The deliveries whose attempts were committed, and the errors of those that cannot be begun.

    Raises:
        StoreUnavailable: make no call.
    """
    try:
        return set(await deliveries.begin(attempts, cleared_at=cleared_at)), {}
    except Unavailable:
        raise
    except Exception as bug:  # noqa: BLE001  what cannot be begun must not hold its neighbours up
        if len(attempts) == 1:
            return set(), {attempts[0].delivery: f"cannot be begun: {type(bug).__name__}"}
    halves = (attempts[: len(attempts) // 2], attempts[len(attempts) // 2 :])
    (one, faults), (other, more) = [await commit_attempts(deliveries, half, cleared_at) for half in halves]
    return one | other, faults | more
