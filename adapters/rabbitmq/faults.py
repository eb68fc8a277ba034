"""Faults of connections, channels and messages, turned into errors of ours."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from aiormq import ChannelInvalidStateError

from domain.kernel.errors import BrokerUnavailable, PosthornError


class Unsendable(ValueError):
    """What is to be sent cannot be: its own fault, not the connection's."""


@contextmanager
def as_unsendable() -> Iterator[None]:
    """Turn whatever keeps our own frames from being made into `Unsendable`."""
    try:
        yield
    except Unsendable:
        raise
    except Exception as fault:  # pamqp's: TypeError, ValueError, struct.error …
        raise Unsendable(f"cannot be encoded: {fault}") from fault


@contextmanager
def as_broker_unavailable(otherwise: str) -> Iterator[None]:
    """Turn whatever ends a connection, a channel or a wait on them into `BrokerUnavailable`.

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
        raise BrokerUnavailable(reason_of(fault)) from fault
    except (PosthornError, Unsendable):
        raise
    except ChannelInvalidStateError as fault:
        raise BrokerUnavailable("channel closed") from fault
    except TimeoutError as fault:
        raise BrokerUnavailable(reason_of(fault) if fault.args else otherwise) from fault
    except Exception as fault:
        raise BrokerUnavailable(reason_of(fault)) from fault


def closing_reason(closing: "asyncio.Future[object]") -> str:
    """Why a channel or a connection has ended."""
    fault = None if closing.cancelled() else closing.exception()
    return "closed" if fault is None else reason_of(fault)


def reason_of(fault: BaseException) -> str:
    """An error's text, in words for an operator."""
    if isinstance(fault, asyncio.CancelledError):
        return "no sign of life"
    if isinstance(fault, StopAsyncIteration) or type(fault) is Exception:  # aiormq's, of an end in order
        return "the other side hung up"
    return " ".join(str(arg) for arg in fault.args if arg) or type(fault).__name__
