"""From a message to its pointers, each with the message's ticket."""

from application.messages.pointers import decode
from application.messages.travel import strikes_of
from application.ports.broker import Received
from domain.kernel.channel import Lane
from domain.kernel.errors import Undecodable
from entrypoints.actors.engine import Engine
from entrypoints.actors.poison import bury_message
from entrypoints.actors.tickets import Desk, Item, Ticket

REDELIVERIES = 3
"""From so many redeliveries on a message is taken apart; the broker gives up at ten.

A worker that dies has all its messages redelivered: those that did not kill it begin anew, each alone, and
the one that did is known by its row (`domain.delivery.gate.ABANDONED_MAX`).
"""


async def unpack(engine: Engine, lane: Lane, desk: Desk, message: Received) -> list[Item]:
    """Read a message; one that nobody can read is buried, one that came too often is taken apart.

    Raises:
        Unavailable: it is as before.
    """
    try:
        pointers = decode(message.body)
    except Undecodable as fault:
        await bury_message(engine, lane, message.body, str(fault))
        desk.finish([Ticket(message.tag, 1)])
        return []
    # What an operator moves here brings the count of the queue it was in, and is not redelivered yet.
    seen = message.headers.get("x-delivery-count", 0) if message.redelivered else 0
    if isinstance(seen, int) and seen >= REDELIVERIES:
        await engine.take_apart(lane, pointers)
        desk.finish([Ticket(message.tag, 1)])
        return []
    ticket = Ticket(message.tag, len(pointers), strikes_of(message.headers))
    return [(pointer, ticket) for pointer in pointers]
