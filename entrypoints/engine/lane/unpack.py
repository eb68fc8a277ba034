"""Reads the pointers in a lane's messages."""

from collections.abc import Sequence

from application.broker.ports import Received
from application.outbox.pointers import Pointer, decode
from domain.kernel.channel import Lane
from domain.kernel.errors import Undecodable
from entrypoints.engine.lane.poison import give_up_message
from entrypoints.engine.lane.services import LaneServices
from entrypoints.engine.lane.unacked import Item, Unacked, UnackedMessage

REDELIVERIES_MAX = 3
"""A message redelivered so often is issued anew; the broker gives it up at ten."""


async def unpack(services: LaneServices, lane: Lane, unacked: Unacked, message: Received) -> list[Item]:
    """Read one message.  What cannot be read is dead-lettered, what is too large is left to the broker.

    Raises:
        Unavailable: it was neither read nor dead-lettered; try again.
    """
    if message.cut:
        await unacked.subscription.refuse([message.tag])
        services.telemetry.trouble("message.too_large", lane=lane.queue, size=message.cut)
        return []
    try:
        pointers = decode(message.body)
    except Undecodable as fault:
        await give_up_message(services, lane, message.body, str(fault))
        unacked.finish([UnackedMessage(message.tag, 1)])
        return []
    opened = UnackedMessage(message.tag, len(pointers))
    return [(pointer, opened) for pointer in pointers]


async def renewed(
    services: LaneServices, lane: Lane, unacked: Unacked, messages: Sequence[Received]
) -> list[Received]:
    """Issue anew what was redelivered too often, all together, before anything is begun; return the others.

    Raises:
        StoreUnavailable: nothing was issued.
    """
    worn = {message.tag: pointers for message in messages if (pointers := _redelivered_often(message))}
    if worn:
        await services.reissue(lane, [pointer for pointers in worn.values() for pointer in pointers])
        unacked.finish(UnackedMessage(tag, 1) for tag in worn)
    return [message for message in messages if message.tag not in worn]


def _redelivered_often(message: Received) -> list[Pointer]:
    """The pointers of a message that was redelivered too often; none of any other.

    What an operator moves here brings the count of the queue it was in, and is not redelivered yet.
    """
    seen = message.headers.get("x-delivery-count", 0) if message.redelivered else 0
    if not isinstance(seen, int) or seen < REDELIVERIES_MAX:
        return []
    try:
        return decode(message.body)
    except Undecodable:
        return []
