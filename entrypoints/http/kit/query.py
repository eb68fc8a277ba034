"""Query strings into structs, with the same care as bodies; a fault's pointer is `?name`."""

from datetime import datetime
from functools import cache
from typing import Any, ClassVar, TypeVar, get_origin
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from litestar import Request
from litestar.connection import ASGIConnection
from msgspec.structs import FieldInfo

from domain.kernel.errors import Fault, Invalid, hold
from domain.kernel.json_values import value_faults
from entrypoints.http.kit.faults import bare, shape_faults
from entrypoints.http.problems.problem import Rejected


class Query(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of what a handler's `params` is annotated with; itself: no parameters at all."""

    OPEN_PREFIX: ClassVar[str | None] = None
    """Parameters whose names begin so are no fields: the handler reads them from `parameters`."""


_PARAMETERS_MAX = 50

Connection = ASGIConnection[Any, Any, Any, Any]  # of any route
T = TypeVar("T", bound=Query)


def parameters(request: Connection) -> dict[str, str]:
    """The parameters as they came.

    Raises:
        Rejected: not UTF-8, or too many.
        Invalid: one given twice, or with what no value may contain.
    """
    try:
        pairs = parse_qsl(
            request.scope["query_string"].decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_PARAMETERS_MAX,
        )
    except UnicodeDecodeError:
        raise Rejected("malformed", "the query string is not UTF-8") from None
    except ValueError:
        raise Rejected("malformed", f"the query string has more than {_PARAMETERS_MAX} parameters") from None
    given = dict(pairs)
    names = [name for name, _ in pairs]
    faults = [Fault(f"?{name}", "duplicate", "given twice") for name in given if names.count(name) > 1]
    faults += [
        Fault(f"?{name}", fault.code, fault.detail)
        for name in given
        for fault in value_faults({name: given[name]})
    ]
    hold(faults)
    return given


def _fit(given: dict[str, str], wanted: type[T]) -> T:
    """Parameters as a struct; a field of tuple type takes several values with commas between them.

    Raises:
        Invalid: with every fault.
    """
    fields = _fields(wanted)
    several = {field.encode_name for field in fields if get_origin(bare(field.type)) is tuple}
    values = {name: text.split(",") if name in several else text for name, text in given.items()}
    try:
        query = msgspec.convert(values, wanted, strict=False)
    except msgspec.ValidationError as refusal:
        found = shape_faults(values, wanted, strict=False)
        faults = [Fault("?" + fault.pointer.split("/")[1], fault.code, fault.detail) for fault in found]
        raise Invalid(*(faults or [Fault("", "bad_value", str(refusal))])) from None
    read = {field.encode_name: getattr(query, field.name) for field in fields}
    hold(
        Fault(f"?{name}", "bad_type", detail)
        for name, text in given.items()
        if (detail := _misread(text, read[name]))
    )
    return query


@cache
def _fields(wanted: type[Query]) -> tuple[FieldInfo, ...]:
    """msgspec looks at a struct's annotations anew each time: most of the cost of reading a query."""
    return msgspec.structs.fields(wanted)


def _misread(text: str, value: object) -> str | None:
    """What msgspec takes too freely: null for no value, and numbers for times."""
    if value is None:
        return "null is no value here: leave the parameter out"
    if isinstance(value, UUID) and text.lower() != str(value):
        return "a UUID is written with four hyphens"
    if isinstance(value, datetime) and ":" not in text:
        return "a time is written as in RFC 3339: 2026-01-31T12:00:00Z"
    return None


def read_query(request: Connection, wanted: type[T]) -> T:
    """The request's query.

    Raises:
        Rejected: not UTF-8, or too many parameters.
        Invalid: with every fault.
    """
    given = parameters(request)
    if wanted.OPEN_PREFIX is not None:
        given = {name: text for name, text in given.items() if not name.startswith(wanted.OPEN_PREFIX)}
    return _fit(given, wanted)


async def read_params(request: Request[Any, Any, Any]) -> None:  # of any route
    """Litestar calls this before it reads the body: `params` of the handler, or no query at all.

    Litestar's own parameters are lax: the last of two counts, unknown ones are left out, `null` is none, a
    number is a time, several values are not separated by commas.

    Raises:
        Rejected, Invalid: see `read_query`.
    """
    handler = request.route_handler
    if request.method != "OPTIONS":  # which Litestar answers
        field = handler.parsed_fn_signature.parameters.get("params")
        wanted = field.annotation if field else Query
        request.scope["state"]["context"].params = read_query(request, wanted)


def provide_params(request: Request[Any, Any, Any]) -> Any:  # what the route annotates
    """What `read_params` has read."""
    return request.scope["state"]["context"].params
