"""What publishers and consumers share: writing to an aiormq channel in bulk, its faults in our words."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from aiormq import AMQPError, Channel, ChannelInvalidStateError
from aiormq.abc import ChannelFrame, FrameType

from domain.kernel.errors import BrokerUnavailable


async def put(channel: Channel, frames: Iterable[FrameType]) -> asyncio.Future[None]:
    """Queue frames for the socket in one piece; what is returned is done when the socket has taken them.

    Hold `channel.lock`, also while waiting for that: a write queue that is never full has room for the answer
    that a broker expects when it closes a channel (aiormq drops it otherwise, and the channel hangs).

    Raises:
        BrokerUnavailable: the channel is closed; nothing is queued.
    """
    if not is_open(channel):
        closing = channel.closing
        await asyncio.wait({closing})
        raise BrokerUnavailable(ending(closing))
    taken = channel.create_future()
    await channel.write_queue.put(ChannelFrame.marshall(channel.number, frames, taken))
    return taken


def is_open(channel: Channel) -> bool:
    """Whether anything may be written to it.

    The connection forgets a channel as soon as the broker has closed it, before the channel itself knows;
    what is written in between would cost the whole connection.
    """
    return channel.connection.channels.get(channel.number) is channel and not channel.is_closed


@contextmanager
def told(otherwise: str) -> Iterator[None]:
    """Turn every way in which aiormq says that something is over into `BrokerUnavailable`.

    When a connection dies of silence aiormq ends all waits on it with CancelledError, though nobody has
    cancelled the task that waits.
    """
    try:
        yield
    except asyncio.CancelledError as fault:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BrokerUnavailable(words(fault)) from fault
    except ChannelInvalidStateError as fault:
        raise BrokerUnavailable("channel closed") from fault
    except (AMQPError, OSError) as fault:  # TimeoutError is one
        raise BrokerUnavailable(words(fault) if fault.args else otherwise) from fault


def ending(closing: "asyncio.Future[object]") -> str:
    """The reason that a channel or a connection is over."""
    fault = None if closing.cancelled() else closing.exception()
    return "closed" if fault is None else words(fault)


def words(fault: BaseException) -> str:
    """What it says, for people."""
    if isinstance(fault, asyncio.CancelledError):
        return "no sign of life"
    return " ".join(str(arg) for arg in fault.args if arg) or type(fault).__name__
