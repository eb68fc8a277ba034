"""The template language: which of Jinja's nodes it has, checked and made safe in the syntax tree.

What is not listed is refused, so a new release of Jinja adds nothing to it.  Loops, comparisons and `~` are
replaced by filters that count work; their names cannot be written in a template.
"""

import inspect
from collections.abc import Iterator

import msgspec
from jinja2 import nodes
from jinja2.meta import find_undeclared_variables
from jinja2.visitor import NodeTransformer

from adapters.rendering.arithmetic import NUMBER_MAX
from adapters.rendering.filters import COSTS, FILTERS, TESTS

TOKENS_MAX = 16_000
NODES_MAX = 4_000
DEPTH_MAX = 40
LOOPS_MAX = 4

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.Getattr, nodes.Getitem,
    nodes.For, nodes.If, nodes.Assign, nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos,
    nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Concat, nodes.Compare,
    nodes.Operand, nodes.Filter, nodes.Test, nodes.List, nodes.Tuple, nodes.Keyword,
)  # fmt: skip
_SPOKEN: dict[type[nodes.Node], str] = {
    nodes.Call: "calling a function or method",
    nodes.Pow: "a power (**)",
    nodes.Slice: "a slice",
    nodes.Dict: "an object literal",
    nodes.Include: "{% include %}",
    nodes.Import: "{% import %}",
    nodes.FromImport: "{% from … import %}",
    nodes.Extends: "{% extends %}",
    nodes.Block: "{% block %}",
    nodes.Macro: "{% macro %}",
    nodes.CallBlock: "{% call %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.AssignBlock: "{% set %} … {% endset %}",
    nodes.With: "{% with %}",
    nodes.NSRef: "a namespace",
    nodes.ScopedEvalContextModifier: "{% autoescape %}",
}
EACH, CONCAT, COMPARE = "#each", "#concat", "#compare"


class TemplateFault(msgspec.Struct, frozen=True):
    """One thing a template must not have; `line` counts from 1."""

    line: int
    why: str
    code: str = "forbidden"


def check(tree: nodes.Template, declared: frozenset[str]) -> list[TemplateFault]:
    """Everything in a parsed template that the language does not have, and variables nobody declared."""
    if found := list(_walk(tree, 0, 0)):
        return found
    if (size := sum(1 for _ in _all(tree))) > NODES_MAX:
        return [TemplateFault(1, f"{size} parts are too many (at most {NODES_MAX})", "too_large")]
    return [
        TemplateFault(_line_of(tree, name), f"the variable '{name}' is not declared", "undeclared_variable")
        for name in sorted(find_undeclared_variables(tree) - declared)
    ]


def _all(node: nodes.Node) -> Iterator[nodes.Node]:
    yield node
    for child in node.iter_child_nodes():
        yield from _all(child)


def _line_of(tree: nodes.Template, name: str) -> int:
    return min(node.lineno for node in tree.find_all(nodes.Name) if node.name == name)


def _walk(node: nodes.Node, depth: int, loops: int) -> Iterator[TemplateFault]:
    if depth > DEPTH_MAX:
        yield TemplateFault(node.lineno, "nested too deep", "too_large")
        return
    if (why := _objection(node, loops)) is not None:
        yield TemplateFault(node.lineno, why)
        return
    for child in node.iter_child_nodes():
        yield from _walk(child, depth + 1, loops + isinstance(node, nodes.For))


def _objection(node: nodes.Node, loops: int) -> str | None:
    match node:
        case nodes.Filter(name=name) | nodes.Test(name=name):
            return _misuse(node, name)
        case nodes.For(recursive=True):
            return "templates do without recursive loops"
        case nodes.For() if loops >= LOOPS_MAX:
            return f"templates do without loops nested deeper than {LOOPS_MAX}"
        case (
            nodes.Getattr(attr=str(name))
            | nodes.Getitem(arg=nodes.Const(value=str(name)))
            | nodes.Name(name=name)
        ) if name.startswith("__"):
            return f"'{name}' cannot be a name in templates"
        case nodes.List(items=members) | nodes.Tuple(items=members, ctx="load"):
            if not all(isinstance(member, nodes.Const) for member in members):
                return "a list in a template holds constants only"
        case nodes.Compare(ops=operands) if len(operands) > 1:
            return "templates do without chained comparisons; join them with 'and'"
        case nodes.Const(value=str(value)) if not _is_text(value):
            return "a text holds a character that cannot be sent"
        case nodes.Const(value=int(value) | float(value)) if not -NUMBER_MAX <= value <= NUMBER_MAX:
            return "a number is too large"
        case _ if not isinstance(node, _ALLOWED):
            return f"templates do without {_SPOKEN.get(type(node), type(node).__name__)}"
        case _:
            pass
    return None


def _misuse(node: nodes.Filter | nodes.Test, name: str) -> str | None:
    kind, known = ("filter", FILTERS) if isinstance(node, nodes.Filter) else ("test", TESTS)
    function = known.get(name)
    if function is None:
        return f"there is no {kind} '{name}' (there are: {', '.join(known)})"
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        return f"templates do without * and ** in the arguments of '{name}'"
    try:
        inspect.signature(function).bind(None, *node.args, **{str(each.key): None for each in node.kwargs})
    except TypeError as error:
        return f"{kind} '{name}': {error}"
    return None


def _is_text(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


_COSTS: dict[type[nodes.Node], int] = {
    nodes.For: 4, nodes.Concat: 2, nodes.Compare: 2,
    nodes.Add: 12, nodes.Sub: 12, nodes.Mul: 12, nodes.Div: 12, nodes.FloorDiv: 12, nodes.Mod: 12,
    nodes.Neg: 2, nodes.Pos: 2,
}  # fmt: skip
"""Units of work of a node; 1 of those that are not named."""
_TEXT_A_UNIT = 256


def weigh(node: nodes.Node) -> int:
    """Units of work of one pass, without the rounds of the loops within."""
    match node:
        case nodes.TemplateData(data=data):
            return 1 + len(data) // _TEXT_A_UNIT
        case nodes.For():
            within = (node.target, node.iter, *node.else_)
        case _:
            within = tuple(node.iter_child_nodes())
    cost = 1 + COSTS.get(node.name, 0) if isinstance(node, nodes.Filter | nodes.Test) else 1
    return _COSTS.get(type(node), cost) + sum(map(weigh, within))


class Metered(NodeTransformer):
    """Puts the counting filters in.  Loops are paid for by their rounds times what one round costs."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802  Jinja's naming
        weight = 1 + sum(map(weigh, (*node.body, *([node.test] if node.test else ()))))
        self.generic_visit(node)
        node.iter = _call(node.iter, EACH, [nodes.Const(weight)])
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        return _call(node.nodes[0], CONCAT, node.nodes[1:])

    def visit_Compare(self, node: nodes.Compare) -> nodes.Filter:  # noqa: N802
        self.generic_visit(node)
        (operand,) = node.ops
        return _call(node.expr, COMPARE, [nodes.Const(operand.op), operand.expr])


def _call(value: nodes.Node, name: str, arguments: list[nodes.Expr]) -> nodes.Filter:
    return nodes.Filter(value, name, arguments, [], None, None, lineno=value.lineno)
