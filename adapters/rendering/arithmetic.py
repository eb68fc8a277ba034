"""Arithmetic of templates: exact on decimals; numbers are bounded in size."""

import operator
from collections.abc import Callable
from decimal import ROUND_FLOOR, Context, Decimal, DivisionByZero, Inexact, InvalidOperation, Overflow
from math import isfinite

from adapters.rendering.values import Value
from domain.kernel.number import exact

NUMBER_MAX = 10**18
NUMBERS = frozenset({int, float, Decimal})
_DIGITS = 40

_WHOLE: dict[str, Callable[[int, int], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def calculate(sign: str, left: Value, right: Value) -> float | Decimal:
    """`left sign right`.

    Raises:
        OverflowError: an operand or the answer is too large.
        ZeroDivisionError, ArithmeticError.
    """
    if not (-NUMBER_MAX <= left <= NUMBER_MAX and -NUMBER_MAX <= right <= NUMBER_MAX):
        raise OverflowError
    if type(left) is int and type(right) is int:
        return _WHOLE[sign](left, right)
    context = Context(_DIGITS, traps=[DivisionByZero, InvalidOperation, Overflow])
    answer = _decimal(context, sign, exact(left), exact(right))
    near = float(answer)
    if not isfinite(near):
        raise OverflowError
    # A float prints as one expects it to, and says the same where it has all the digits.
    return near if context.flags[Inexact] or exact(near) == answer else answer


def _decimal(context: Context, sign: str, left: Decimal, right: Decimal) -> Decimal:
    match sign:
        case "+":
            return context.add(left, right)
        case "-":
            return context.subtract(left, right)
        case "*":
            return context.multiply(left, right)
        case "/":
            return context.divide(left, right)
        case _:  # as Python's on floats: towards minus infinity, the rest has the sign of the divisor
            whole = context.divide(left, right).to_integral_value(ROUND_FLOOR)
            return whole if sign == "//" else context.subtract(left, context.multiply(whole, right))


def negated(value: Value) -> Value:
    """`-value`; a Decimal keeps all its digits."""
    return value.copy_negate() if type(value) is Decimal else -value
