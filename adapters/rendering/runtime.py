"""The runtime of templates: data without methods, missing variables with names, operators that count work."""

import operator
from collections.abc import Iterable, Iterator
from decimal import Decimal
from html import escape
from typing import NoReturn

from jinja2 import StrictUndefined, Undefined
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing, pass_context

from adapters.rendering.allowance import SLICE, RenderContext
from adapters.rendering.arithmetic import NUMBER_MAX, NUMBERS, calculate, negated
from adapters.rendering.values import Value
from domain.kernel.number import exact

TEXT_MAX = 262_144
"""Longest text an expression may make, in characters."""
_LONG = 256
"""Characters a text may have to be printed within the price of its node."""
_LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
_PRINTABLE = frozenset({str, bool}) | NUMBERS
_SCALAR = _PRINTABLE | {type(None)}
TOP = missing


class RenderingRefused(Exception):
    """A template cannot be rendered with this data; the text says why, without any of the data."""


class Missing(Exception):
    """A variable that is not there: `name`, looked up in `holder` (`TOP`: a variable of the template)."""

    def __init__(self, name: object, holder: object) -> None:
        super().__init__(name)
        self.name = name
        self.holder = holder


class NamedUndefined(StrictUndefined):
    """A missing variable; whatever is done with it raises `Missing`, which has its name."""

    __slots__ = ()

    def raise_missing(self, *_: object, **__: object) -> Value:
        raise Missing(self._undefined_name, self._undefined_obj)

    __iter__ = __str__ = __len__ = __eq__ = __ne__ = __bool__ = __hash__ = __contains__ = raise_missing
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = raise_missing
    __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = __neg__ = __pos__ = raise_missing
    __lt__ = __le__ = __gt__ = __ge__ = raise_missing
    _fail_with_undefined_error = raise_missing


def refuse(why: str, *operands: object) -> NoReturn:
    """Refuse operands that do not fit; one that is missing is the reason before anything else.

    Raises:
        Missing, RenderingRefused.
    """
    for operand in operands:
        if isinstance(operand, NamedUndefined):
            operand.raise_missing()
    raise RenderingRefused(why)


def text(value: object) -> str:
    """What `{{ value }}` prints.

    Raises:
        Missing, RenderingRefused: a missing variable; a list or an object.
    """
    if type(value) is int and abs(value) > NUMBER_MAX:
        raise RenderingRefused("a number grows too large")
    return str(printed(value))


def printed(value: object) -> Value:
    """The value if it can be printed; null prints as nothing.  Lists and objects are refused."""
    if type(value) in _PRINTABLE:
        return value
    if value is None or type(value) is Undefined:  # Undefined: `a if b` without an else
        return ""
    refuse("only text and numbers can be printed, not a list or an object", value)


@pass_context
def plain(context: RenderContext, value: object) -> Value:
    """What `{{ value }}` puts into plain text; long ones are paid for."""
    if type(value) is str:
        if len(value) > _LONG:
            context.spend(len(value) // 16)
        return value
    return printed(value)


@pass_context
def escaped(context: RenderContext, value: object) -> Value:
    """The same, safe in HTML text and in quoted attributes."""
    if type(value) is str:
        if len(value) > _LONG:
            context.spend(len(value) // 16)
        return escape(value)
    return printed(value)


class Language(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, narrower: dots read data, never attributes of Python objects; nothing is called."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%", "**"})
    intercepted_unops = frozenset({"+", "-"})

    def getattr(self, obj: object, attribute: str) -> Value:
        """`obj.attribute`: a member of an object, or what a loop knows of itself."""
        if type(obj) is dict:
            try:
                return obj[attribute]
            except KeyError:
                return NamedUndefined(obj=obj, name=attribute)
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        if isinstance(obj, NamedUndefined):
            refuse("", obj)
        return NamedUndefined(obj=obj, name=attribute)

    def getitem(self, obj: Value, argument: Value) -> Value:
        """`obj[argument]`: by name or by place."""
        if isinstance(obj, NamedUndefined):
            refuse("", obj)
        if type(argument) not in {str, int}:
            refuse("what stands in [ ] is a name or a whole number", argument)
        if type(obj) is (dict if type(argument) is str else list):
            try:
                return obj[argument]
            except LookupError:
                pass
        return NamedUndefined(obj=obj, name=argument)

    def call(self, *_: object, **__: object) -> Value:
        """Nothing can be called."""
        raise RenderingRefused("nothing can be called in templates")

    def call_binop(self, context: Value, operator: str, left: Value, right: Value) -> Value:
        """Arithmetic on numbers that stay of a size, and `+` on text."""
        kinds = {type(left), type(right)}
        if kinds <= NUMBERS and operator != "**":
            try:
                return calculate(operator, left, right)
            except OverflowError:
                raise RenderingRefused("a number grows too large") from None
        if kinds == {str} and operator == "+":
            return concat(context, left, right)
        refuse(f"'{operator}' works on numbers, and '+' on two texts", left, right)

    def call_unop(self, context: Context, operator: str, arg: object) -> Value:  # noqa: ARG002  Jinja's signature
        """Signs of numbers."""
        if type(arg) not in NUMBERS:
            refuse(f"'{operator}' works on numbers", arg)
        return negated(arg) if operator == "-" else arg


@pass_context
def each(context: RenderContext, values: Value, weight: int) -> Iterable[Value]:
    """What a loop goes through, paid for as it goes: `weight` is what one round costs."""
    if type(values) not in {list, dict, tuple}:
        refuse("a loop goes through a list", values)
    rounds = values if type(values) is list else list(values)
    if len(rounds) * weight > SLICE:
        return _rounds(context, rounds, weight)
    context.spend(len(rounds) * weight)
    return rounds


def _rounds(context: RenderContext, values: list[object], weight: int) -> Iterator[Value]:
    """In slices, so that the clock is looked at within a loop."""
    rounds = SLICE // weight or 1
    for start in range(0, len(values), rounds):
        some = values[start : start + rounds]
        context.spend(len(some) * weight)
        yield from some


@pass_context
def concat(context: RenderContext, *values: object) -> str:
    """`a ~ b`."""
    parts = [text(value) for value in values]
    context.spend(sum(map(len, parts)))
    return "".join(parts)


_ORDER = {"lt": operator.lt, "lteq": operator.le, "gt": operator.gt, "gteq": operator.ge}


@pass_context
def compare(context: RenderContext, left: Value, op: str, right: Value) -> bool:
    """`==`, `!=`, `<`, `<=`, `>`, `>=` between scalars; `in` and `not in` for lists, objects and text."""
    if op in {"in", "notin"}:
        found = _contains(context, left, right)
        return found if op == "in" else not found
    if type(left) not in _SCALAR or type(right) not in _SCALAR:
        refuse("only texts and numbers can be compared", left, right)
    if type(left) is str and type(right) is str:
        context.spend(min(len(left), len(right)))
    if type(left) is Decimal or type(right) is Decimal:
        left, right = _decimal(left), _decimal(right)
    if op in {"eq", "ne"}:
        return (left == right) is (op == "eq")
    try:
        return bool(_ORDER[op](left, right))
    except TypeError:
        raise RenderingRefused("a text and a number have no order") from None


def _decimal(value: object) -> Value:
    return exact(value) if type(value) is float else value


def _contains(context: RenderContext, member: Value, whole: Value) -> bool:
    if type(member) not in _SCALAR or type(whole) not in {str, list, dict, tuple}:
        refuse("'in' looks for a text or number in a list, object or text", member, whole)
    if type(whole) is str and type(member) is not str:
        raise RenderingRefused("'in' looks for a text in a text")
    size = len(member) if type(member) is str else 1
    context.spend(len(whole) + size)
    if type(whole) in {list, tuple}:
        return any(type(one) in _SCALAR and one == member for one in whole)
    return member in whole
