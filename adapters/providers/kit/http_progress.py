"""How far a call of aiohttp came, and the name of what ended it."""

from dataclasses import dataclass
from types import SimpleNamespace

import aiohttp


@dataclass(slots=True)
class HttpProgress:
    """Given to a call as its `trace_request_ctx`."""

    connected: bool = False
    """A connection was free, or could be opened."""
    sent: bool = False
    """The request's headers went out."""


def progress_trace() -> aiohttp.TraceConfig:
    """For the session of these calls."""
    trace = aiohttp.TraceConfig()
    trace.on_connection_create_start.append(_connecting)
    trace.on_request_headers_sent.append(_sending)
    return trace


async def _connecting(_session: object, traced: SimpleNamespace, _: object) -> None:
    traced.trace_request_ctx.connected = True


async def _sending(_session: object, traced: SimpleNamespace, _: object) -> None:
    traced.trace_request_ctx.sent = True


def error_name(error: Exception) -> str:
    """What an error is called: its words quote URL and headers."""
    inner = getattr(error, "os_error", None) or error
    return getattr(inner, "strerror", None) or type(inner).__name__
