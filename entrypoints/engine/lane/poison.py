"""What cannot be worked on goes to the lane's dead queue, with its reason."""

import traceback
from pathlib import PurePath

from application.broker.ports import Outgoing
from application.outbox.pointers import Pointer, encode
from domain.kernel.channel import Lane
from domain.kernel.errors import BrokerUnavailable, Unavailable
from entrypoints.engine.lane.services import Engine

REASON = "x-posthorn-reason"


async def bury(engine: Engine, lane: Lane, pointer: Pointer, own: Exception) -> None:
    """Give one delivery up on which our own code fails, as a row and by its pointer.

    When not even that can be written, or there is no such delivery, the pointer alone goes.

    Raises:
        Unavailable: not now; the message must not be acked.
    """
    reason = told(own)
    engine.telemetry.trouble("delivery.poison", delivery=str(pointer.delivery), reason=reason, exc_info=own)
    try:
        there = await engine.bury(lane, pointer, reason)
    except Unavailable:
        raise
    except Exception:  # noqa: BLE001  what breaks on its row
        there = False
    if not there:
        await bury_message(engine, lane, encode([pointer]), reason)


async def bury_message(engine: Engine, lane: Lane, body: bytes, reason: str) -> None:
    """Publish to `<lane>.dlq`, wait for the confirm.

    Raises:
        BrokerUnavailable: not confirmed; the message must not be acked.
    """
    id_ = engine.ids.next()
    letter = Outgoing(id=id_, queue=lane.dead, body=body, headers={REASON: reason[:200]})
    published = await engine.publisher.publish([letter])
    if id_ not in published.confirmed:
        raise BrokerUnavailable(f"{lane.dead} did not take a dead letter")
    engine.telemetry.trouble("message.buried", lane=lane.queue, reason=reason[:200])


def told(own: Exception) -> str:
    """What went wrong and where; not the error's words, which may quote somebody's data."""
    for frame in traceback.extract_tb(own.__traceback__)[-1:]:
        return f"{type(own).__name__} in {frame.name} ({PurePath(frame.filename).name}:{frame.lineno})"
    return type(own).__name__
