"""What publishers and consumers share: writing to an aiormq channel in bulk, its faults in our words."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from aiormq import Channel, ChannelInvalidStateError
from aiormq.abc import ChannelFrame, FrameType

from domain.kernel.errors import BrokerUnavailable, PosthornError


class Unfit(ValueError):
    """What is to be sent cannot be: its own fault, not the link's."""


async def put(channel: Channel, frames: Iterable[FrameType]) -> asyncio.Future[None]:
    """Queue frames for the socket in one piece; what is returned is done when the socket has taken them.

    Hold `channel.lock`, also while waiting for that: a write queue that is never full has room for the answer
    that a broker expects when it closes a channel (aiormq drops it otherwise, and the channel hangs).

    Raises:
        BrokerUnavailable: the channel is closed; nothing is queued.
        Unfit: a frame cannot be encoded; nothing is queued.
    """
    if not is_open(channel):
        closing = channel.closing
        await asyncio.wait({closing})
        raise BrokerUnavailable(ending(closing))
    taken = channel.create_future()
    try:
        with fit():
            piece = ChannelFrame.marshall(channel.number, frames, taken)
    except Unfit:
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


@contextmanager
def fit() -> Iterator[None]:
    """Turn whatever keeps our own frames from being made into `Unfit`."""
    try:
        yield
    except Unfit:
        raise
    except Exception as fault:  # pamqp's: TypeError, ValueError, struct.error …
        raise Unfit(f"cannot be encoded: {fault}") from fault


@contextmanager
def told(otherwise: str) -> Iterator[None]:
    """Turn whatever ends a link, a channel or a wait on them into `BrokerUnavailable`.

    What a peer, a proxy or a network can do is no list of exceptions: garbage is a ValueError of pamqp's or a
    struct.error, an end in order StopAsyncIteration or a bare Exception, silence a CancelledError, though
    nobody has cancelled the task that waits.  So everything is; errors of ours pass.
    """
    try:
        yield
    except asyncio.CancelledError as fault:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise BrokerUnavailable(words(fault)) from fault
    except (PosthornError, Unfit):
        raise
    except ChannelInvalidStateError as fault:
        raise BrokerUnavailable("channel closed") from fault
    except TimeoutError as fault:
        raise BrokerUnavailable(words(fault) if fault.args else otherwise) from fault
    except Exception as fault:
        raise BrokerUnavailable(words(fault)) from fault


def ending(closing: "asyncio.Future[object]") -> str:
    """The reason that a channel or a connection is over."""
    fault = None if closing.cancelled() else closing.exception()
    return "closed" if fault is None else words(fault)


def words(fault: BaseException) -> str:
    """What it says, for people."""
    if isinstance(fault, asyncio.CancelledError):
        return "no sign of life"
    if isinstance(fault, StopAsyncIteration) or type(fault) is Exception:  # aiormq's, of an end in order
        return "the other side hung up"
    return " ".join(str(arg) for arg in fault.args if arg) or type(fault).__name__
