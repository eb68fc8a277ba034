"""Query strings into structs, with the same care as bodies; a fault's pointer is `?name`."""

from datetime import datetime
from typing import Any, TypeVar, get_origin
from urllib.parse import parse_qsl
from uuid import UUID

import msgspec
from litestar import Request

from domain.kernel.errors import Fault, Invalid, hold
from entrypoints.http.kit.faults import bare, shape_faults
from entrypoints.http.kit.forbidden_values import value_faults
from entrypoints.http.kit.problems import Rejected


class NoQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No parameters."""


_PARAMETERS_MAX = 50
T = TypeVar("T", bound=msgspec.Struct)


def parameters(request: Request[Any, Any, Any]) -> dict[str, str]:
    """The parameters as they came.

    Raises:
        Refused: not UTF-8, or too many.
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


def fit(given: dict[str, str], wanted: type[T]) -> T:
    """Parameters as a struct; a field of tuple type takes several values with commas between them.

    Raises:
        Invalid: with every fault.
    """
    several = {
        field.encode_name for field in msgspec.structs.fields(wanted) if get_origin(bare(field.type)) is tuple
    }
    values = {name: text.split(",") if name in several else text for name, text in given.items()}
    try:
        query = msgspec.convert(values, wanted, strict=False)
    except msgspec.ValidationError as refusal:
        found = shape_faults(values, wanted, strict=False)
        faults = [Fault("?" + fault.pointer.split("/")[1], fault.code, fault.detail) for fault in found]
        raise Invalid(*(faults or [Fault("", "bad_value", str(refusal))])) from None
    read = {field.encode_name: getattr(query, field.name) for field in msgspec.structs.fields(wanted)}
    hold(
        Fault(f"?{name}", "bad_type", detail)
        for name, text in given.items()
        if (detail := _misread(text, read[name]))
    )
    return query


def _misread(text: str, value: Any) -> str | None:
    """What msgspec takes too freely: null for no value, and numbers for times."""
    if value is None:
        return "null is no value here: leave the parameter out"
    if isinstance(value, UUID) and text.lower() != str(value):
        return "a UUID is written with four hyphens"
    if isinstance(value, datetime) and ":" not in text:
        return "a time is written as in RFC 3339: 2026-01-31T12:00:00Z"
    return None


def read_query(request: Request[Any, Any, Any], wanted: type[T]) -> T:
    """The request's query.

    Raises:
        Refused, Invalid: as above.
    """
    return fit(parameters(request), wanted)
