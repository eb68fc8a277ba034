"""What may stand in a log line: fields by name, values by type, text without addresses."""

import re
import traceback
from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum
from pathlib import Path
from types import TracebackType
from uuid import UUID

from domain.kernel.errors import Invalid, PosthornError
from domain.kernel.json_values import Json
from domain.kernel.text import on_one_line

_NAMES = """
    absorbed accepted actor adopted ahead alert called channel channels committed conflict correlation_id
    count dead_letters decided delayed deleted deliveries delivery done drained end error event_id failed
    gone group handled host ignored invalid job key kind lacking lane lanes limit listening mend message
    messages method mode notification notifications outcome outdated parked part partitions pid pointers
    port postponed priority provider queue reason recipients refused replayed reused reused_keys role
    route seconds signal since size skipped stale state status struck taken task template total trace_id
    traces trigger type undecodable unreadable unroutable until version written
"""
FIELDS = frozenset(_NAMES.split())
"""Names of fields that may be logged; any other is left out and its name is listed under `omitted`."""

TEXT_MAX = 240
ITEMS_MAX = 30
_ADDRESS = re.compile(r"[^\s<>\"'`,;:=/()\[\]{}]+@[^\s<>\"'`,;:/()\[\]{}]+")
_PHONE = re.compile(r"(?<![\w+-])\+?\d[\d ().-]{7,}\d(?![\w-])")
_ROOT = Path(__file__).parents[2]

# These quote code, configuration or the operating system, never a customer's data.
_WITHOUT_DATA = (AttributeError, NameError, ImportError, OSError, RecursionError, TypeError)


def scrub(text: str) -> str:
    """Text without e-mail addresses (and so without logins in URLs) and telephone numbers; not too long.

    On one line, with nothing in it that a terminal would obey.
    """
    if not text.isprintable():
        text = on_one_line(text)
    text = _PHONE.sub("<number>", _ADDRESS.sub("<address>", text))
    return text if len(text) <= TEXT_MAX else f"{text[:TEXT_MAX]}…"


def clean(value: object) -> Json:
    """A value by its type: simple ones and small collections of them; of anything else its type's name."""
    match value:
        case Enum():
            return clean(value.value)
        case None | bool() | int():
            return value
        case float():
            return round(value, 6)
        case str():
            return scrub(value)
        case UUID():
            return str(value)
        case datetime():
            return value.isoformat()
        case timedelta():
            return round(value.total_seconds(), 6)
        case BaseException():
            return error_text(value)
        case Mapping():
            return {scrub(str(name)): clean(each) for name, each in list(value.items())[:ITEMS_MAX]}
        case list() | tuple() | set() | frozenset():
            return [clean(each) for each in list(value)[:ITEMS_MAX]]
        case _:
            return f"<{type(value).__name__}>"


def fields(given: Mapping[str, object]) -> dict[str, Json]:
    """The fields that may be logged, each cleaned."""
    kept = {name: clean(value) for name, value in given.items() if name in FIELDS}
    left_out = sorted(given.keys() - FIELDS)
    return kept | ({"omitted": left_out} if left_out else {})


def error_text(error: BaseException) -> str:
    """An error's type, and its text where that cannot quote a customer."""
    name = type(error).__name__
    if isinstance(error, (PosthornError, *_WITHOUT_DATA)) and not isinstance(error, Invalid):
        return scrub(f"{name}: {error}")
    return name


def where(error: BaseException) -> list[dict[str, Json]]:
    """The chain of errors, each with its way through our code: places, no values."""
    chain: list[dict[str, Json]] = []
    at: BaseException | None = error
    while at is not None and len(chain) < 5:
        chain.append({"error": error_text(at), "at": _frames(at.__traceback__)})
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)
    return chain


def _frames(trace: TracebackType | None) -> list[str]:
    frames = traceback.extract_tb(trace)[-12:]
    return [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]


def _short(path: str) -> str:
    if path.startswith(str(_ROOT)) and ".venv" not in path:
        return str(Path(path).relative_to(_ROOT))
    return "/".join(Path(path).parts[-3:])
