"""What can go wrong with a connection, a channel or a message, in our words."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiormq import ChannelInvalidStateError

from domain.kernel.errors import BrokerUnavailable, PosthornError


class Unfit(ValueError):
    """What is to be sent cannot be: its own fault, not the link's."""


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
