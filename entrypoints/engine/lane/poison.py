"""What cannot be worked on goes to the lane's dead-letter queue, with its reason."""

import traceback
from pathlib import PurePath

from application.broker.ports import Outgoing
from application.outbox.pointers import Pointer, encode
from domain.kernel.channel import Lane
from domain.kernel.errors import BrokerUnavailable, Unavailable
from entrypoints.engine.lane.services import LaneServices

REASON = "x-posthorn-reason"


async def give_up(services: LaneServices, lane: Lane, pointer: Pointer, own: Exception) -> None:
    """Give one delivery up on which our own code fails: a dead-letter row, and its pointer in the queue.

    When not even the row can be written, or there is no such delivery, the pointer alone goes to the queue.

    Raises:
        Unavailable: not now; the message must not be acked.
    """
    reason = described(own)
    services.telemetry.trouble("delivery.poison", delivery=str(pointer.delivery), reason=reason, exc_info=own)
    try:
        there = await services.give_up(lane, pointer, reason)
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001  what breaks on its row
        there = False
    if not there:
        await give_up_message(services, lane, encode([pointer]), reason)


async def give_up_message(services: LaneServices, lane: Lane, body: bytes, reason: str) -> None:
    """Publish a message to `<lane>.dlq` and wait for the confirm.

    Raises:
        BrokerUnavailable: not confirmed; the message must not be acked.
    """
    id_ = services.ids.next()
    message = Outgoing(id=id_, queue=lane.dead, body=body, headers={REASON: reason[:200]})
    published = await services.publisher.publish([message])
    if id_ not in published.confirmed:
        raise BrokerUnavailable(f"{lane.dead} did not take a dead letter")
    services.telemetry.trouble("message.dead_lettered", lane=lane.queue, reason=reason[:200])


def described(own: Exception) -> str:
    """Type and place of an error, without its text, which may quote somebody's data."""
    for frame in traceback.extract_tb(own.__traceback__)[-1:]:
        return f"{type(own).__name__} in {frame.name} ({PurePath(frame.filename).name}:{frame.lineno})"
    return type(own).__name__
