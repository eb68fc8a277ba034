"""Logging by structlog: JSON lines on stderr, every record of every library through the same filter."""

import logging
import sys
from typing import TextIO

import structlog

from adapters.telemetry.redact import fields, scrub, where

_META = ("event", "level", "timestamp", "logger")

# Chatty below WARNING; their own lines are no news to an operator.
_LIBRARIES = ("aiosmtplib", "alembic", "asyncio", "litestar", "mail.log", "uvicorn", "websockets")
_SILENT = ("aio_pika", "aiormq")  # log every failed attempt; our own connection reports once what is wrong


def configure(level: str, form: str, stream: TextIO | None = None) -> None:
    """Set logging up for this process.

    Args:
        level: debug, info, warning or error.
        form: json or console.
        stream: stderr when None.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        redacted,
    ]
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=(stream or sys.stderr).isatty())
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in (*_LIBRARIES, *_SILENT):
        library = logging.getLogger(name)
        library.handlers, library.propagate = [], True
        library.setLevel(logging.CRITICAL if name in _SILENT else logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def redacted(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Keep what may be logged; an exception becomes its types and places."""
    meta = {name: event.pop(name) for name in _META if name in event}
    internal = {name: event.pop(name) for name in list(event) if name.startswith("_")}
    meta["event"] = scrub(str(meta["event"]).partition("\n")[0])
    error = _exception(event.pop("exc_info", None))
    if error is not None:
        event.pop("error", None)  # whoever wrote it had only `repr`, which may quote anything
        meta["exception"] = where(error)
    event.pop("stack_info", None)
    return meta | fields(event) | internal


def _exception(given: object) -> BaseException | None:
    if isinstance(given, tuple):
        error: BaseException | None = given[1]
        return error
    if isinstance(given, BaseException):
        return given
    return sys.exc_info()[1] if given else None
