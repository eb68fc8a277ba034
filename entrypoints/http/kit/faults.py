"""The second pass: msgspec stops at the first fault, this finds them all, by walking the struct's types."""

import types
from collections.abc import Iterable, Iterator
from enum import Enum, EnumMeta
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import msgspec

from domain.kernel.errors import Fault
from domain.kernel.json_values import DEPTH_MAX, Json, below, value_faults


def bare(annotation: object) -> Any:  # a type of any form
    """A type without what `Annotated` says of it."""
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def shape_faults(value: object, wanted: object, at: str = "", *, strict: bool = True) -> Iterator[Fault]:
    """Every place where a plain value does not fit a type, or holds what no value may.

    What is too long is not walked: whoever asks for the faults bounds the work by bounding the answer.

    Args:
        strict: False reads numbers, booleans and times from text, as query strings have them.
    """
    inner = bare(wanted)
    origin, args = get_origin(inner), get_args(inner)
    if origin in {Union, types.UnionType}:
        yield from _union(value, args, wanted, at, strict)
    elif _is_struct(inner) and isinstance(value, dict):
        yield from _members(value, inner, at, strict)
    elif origin in {list, tuple} and isinstance(value, list):
        too_long = list(_refused(value, Annotated[list[Json], *_limits(wanted)], at, strict))
        yield from too_long
        if not too_long:
            for n, item in enumerate(value):
                yield from shape_faults(item, args[0], below(at, n), strict=strict)
    elif origin is dict and isinstance(value, dict) and args[1] is not Any:  # as Json is
        too_long = list(_refused(value, Annotated[dict[str, Json], *_limits(wanted)], at, strict))
        yield from too_long
        for name, member in () if too_long else value.items():
            yield from value_faults({name: None}, at)
            yield from shape_faults(member, args[1], below(at, name), strict=strict)
    else:
        yield from _leaf(value, wanted, at, strict)


def _union(
    value: object, options: tuple[object, ...], wanted: object, at: str, strict: bool
) -> Iterator[Fault]:
    """Faults against the option that was meant, where that can be told."""
    named = [option for option in options if option is not type(None)]
    if len(named) > 1 and isinstance(value, dict):
        named = [option for option in named if _is_struct(bare(option))] or named
        tags = {bare(option).__struct_config__.tag: option for option in named if _is_struct(bare(option))}
        if len(tags) > 1 and None not in tags:
            field = bare(named[0]).__struct_config__.tag_field
            if (tag := value.get(field)) not in list(tags):
                detail = f"'{str(tag)[:50]}' is none of {', '.join(map(str, tags))}"
                yield Fault(below(at, field), "missing" if tag is None else "bad_value", detail)
                return
            named = [tags[tag]]
    meant = named[0] if len(named) == 1 and value is not None else None
    yield from shape_faults(value, meant, at, strict=strict) if meant else _leaf(value, wanted, at, strict)


def _is_struct(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)


def _members(
    value: dict[str, object], wanted: type[msgspec.Struct], at: str, strict: bool
) -> Iterator[Fault]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for name in value:
        if name not in fields and name != wanted.__struct_config__.tag_field:
            detail = f"no such field; there are {', '.join(fields)}"
            yield Fault(below(at, name), "unknown_field", detail)
    for name, field in fields.items():
        if name in value:
            yield from shape_faults(value[name], field.type, below(at, name), strict=strict)
        elif field.required:
            yield Fault(below(at, name), "missing", "this field is required")


def _leaf(value: object, wanted: object, at: str, strict: bool) -> Iterator[Fault]:
    faults = list(_refused(value, wanted, at, strict))
    yield from faults or value_faults(value, at, at.count("/") + 1)


def _refused(value: object, wanted: object, at: str, strict: bool) -> Iterator[Fault]:
    try:
        msgspec.convert(value, wanted, strict=strict)
    except msgspec.ValidationError as refusal:
        yield fault_of(str(refusal), value, wanted, at)
    except UnicodeEncodeError:  # msgspec wants to compare it with something
        yield from value_faults(value, at)
    except RecursionError:
        yield Fault(at, "too_deep", f"more than {DEPTH_MAX} levels")


def fault_of(message: str, value: object, wanted: object, at: str) -> Fault:
    """msgspec's own words as a fault."""
    detail = message.partition(" - at ")[0].replace("`", "")
    choices = _choices(wanted)
    if choices and isinstance(value, str):
        return Fault(at, "bad_value", f"'{value[:50]}' is none of {', '.join(choices)}")
    if "length" in detail:
        return Fault(at, "bad_length", detail)
    if "regex" in detail:
        return Fault(at, "bad_format", detail)
    code = "bad_type" if detail.startswith("Expected") and ", got" in detail else "bad_value"
    return Fault(at, code, detail)


def _choices(wanted: object) -> list[str]:
    inner = bare(wanted)
    if get_origin(inner) is Literal:
        return [str(choice) for choice in get_args(inner)]
    if isinstance(inner, EnumMeta):
        members: Iterable[Enum] = inner
        return [str(member.value) for member in members]
    return []


def _limits(wanted: object) -> tuple[Any, ...]:  # what stands in `Annotated`
    return get_args(wanted)[1:] if get_origin(wanted) is Annotated else (msgspec.Meta(),)
