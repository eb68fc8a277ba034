"""From a message to its pointers, each with the message's ticket."""

from collections.abc import Sequence

from application.broker.ports import Received
from application.outbox.pointers import Pointer, decode
from domain.kernel.channel import Lane
from domain.kernel.errors import Undecodable
from entrypoints.engine.lane.poison import bury_message
from entrypoints.engine.lane.services import Engine
from entrypoints.engine.lane.unacked import Desk, Item, Ticket

REDELIVERIES = 3
"""From so many redeliveries on a message is issued anew; the broker gives up at ten."""


async def unpack(engine: Engine, lane: Lane, desk: Desk, message: Received) -> list[Item]:
    """Read a message; one that nobody can read is buried, one that is too large by the broker itself.

    Raises:
        Unavailable: it is as before.
    """
    if message.cut:
        await desk.subscription.refuse([message.tag])
        engine.telemetry.trouble("message.too_large", lane=lane.queue, size=message.cut)
        return []
    try:
        pointers = decode(message.body)
    except Undecodable as fault:
        await bury_message(engine, lane, message.body, str(fault))
        desk.finish([Ticket(message.tag, 1)])
        return []
    ticket = Ticket(message.tag, len(pointers))
    return [(pointer, ticket) for pointer in pointers]


async def renewed(engine: Engine, lane: Lane, desk: Desk, messages: Sequence[Received]) -> list[Received]:
    """Issue anew what came too often, all together and before anything is begun; return the others.

    Raises:
        StoreUnavailable: all are as before.
    """
    tired = {message.tag: pointers for message in messages if (pointers := _tired(message))}
    if tired:
        await engine.reissue(lane, [pointer for pointers in tired.values() for pointer in pointers])
        desk.finish(Ticket(tag, 1) for tag in tired)
    return [message for message in messages if message.tag not in tired]


def _tired(message: Received) -> list[Pointer]:
    # What an operator moves here brings the count of the queue it was in, and is not redelivered yet.
    seen = message.headers.get("x-delivery-count", 0) if message.redelivered else 0
    if not isinstance(seen, int) or seen < REDELIVERIES:
        return []
    try:
        return decode(message.body)
    except Undecodable:
        return []
