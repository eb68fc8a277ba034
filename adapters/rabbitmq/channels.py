"""Writing to an aiormq channel in bulk; what publishers and consumers share."""

import asyncio
from collections.abc import Iterable

from aiormq import Channel
from aiormq.abc import ChannelFrame, FrameType

from adapters.rabbitmq.faults import Unsendable, as_unsendable, closing_reason
from domain.kernel.errors import BrokerUnavailable


async def write_frames(channel: Channel, frames: Iterable[FrameType]) -> asyncio.Future[None]:
    """Queue frames for the socket in one piece; the returned future is done when the socket has taken them.

    Hold `channel.lock`, also while waiting for that: a write queue that is never full has room for the answer
    that a broker expects when it closes a channel (aiormq drops it otherwise, and the channel hangs).

    Raises:
        BrokerUnavailable: the channel is closed; nothing is queued.
        Unsendable: a frame cannot be encoded; nothing is queued.
    """
    if not is_open(channel):
        closing = channel.closing
        await asyncio.wait({closing})
        raise BrokerUnavailable(closing_reason(closing))
    taken = channel.create_future()
    try:
        with as_unsendable():
            piece = ChannelFrame.marshall(channel.number, frames, taken)
    except Unsendable:
        taken.cancel()
        raise
    await channel.write_queue.put(piece)
    return taken


def is_open(channel: Channel) -> bool:
    """Whether anything may be written to it.

    The connection forgets a channel as soon as the broker has closed it, before the channel itself knows;
    what is written in between would cost the whole connection.
    """
    return channel.connection.channels.get(channel.number) is channel and not channel.is_closed
