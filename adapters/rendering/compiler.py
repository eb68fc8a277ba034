"""From a template's source to a program: lex, parse, check, meter, compile.

A template is checked again whenever it is compiled, so what an older release let in does not get round a
newer release's rules.
"""

import re
from collections.abc import Callable, Iterator
from functools import wraps
from itertools import islice
from types import CodeType

import msgspec
from jinja2 import TemplateSyntaxError, nodes
from jinja2.utils import missing, pass_context

from adapters.rendering import grammar
from adapters.rendering.allowance import RenderContext
from adapters.rendering.filters import FILTERS, METERED, TESTS
from adapters.rendering.runtime import Language, NamedUndefined, compare, concat, each, escaped, plain
from adapters.rendering.values import Value
from domain.channel.content import part_faults
from domain.kernel.errors import Fault, Invalid
from domain.template.template import PARTS_AT, RECIPIENT, Template

SOURCE_MAX = 262_144
PARTS = {"subject": ("/subject", 500), "body": ("/body", 262_144), "html_body": ("/htmlBody", 524_288)}
"""JSON pointer of each part, and the most characters it may come to."""
TEXT_IN_PARTS_MAX = 65_536
"""Characters that a text within `parts` may come to."""
_OPEN = re.compile(r"\{[{%#]")
_STRING = r""""[^"\\]*+(?:\\.[^"\\]*+)*+"|'[^'\\]*+(?:\\.[^'\\]*+)*+'"""
_TAGS = re.compile(
    rf"""
    \{{\{{                 (?: [^"'{{}}] | {_STRING} | \}}(?!\}}) )*+ \}}\}}
    | \{{%(?![-+]?\s*raw)  (?: [^"'{{%] | {_STRING} | %(?!\}}) )*+  %\}}
    | \{{\#               .*?                                   \#\}}
    """,
    re.DOTALL | re.VERBOSE,
)
"""Whole tags, which end where they do for Jinja: not within a text such as `"}}"`.  Where that is not sure
(raw blocks, braces), none."""
_SIGNS = re.compile(r"[^\w\s]")
COMPILE_WORK_MAX = 1_500
"""Of a template that is compiled in place: at most about 25 ms, once for each version."""
_TAG, _SIGN = 6, 3
"""What a tag, and an operator in it, take beside their characters."""
_TEXT_IN_PARTS = 45
"""What a text within `parts` takes beside what is in it: each is compiled for itself."""
_TEXT_A_COMMAND = 100
"""Compiling so many characters of text takes as long as one within a tag."""

Root = Callable[[RenderContext], Iterator[str]]


class Code(msgspec.Struct, frozen=True):
    """One part, compiled."""

    part: str
    code: CodeType
    cost: int
    """Units of work of one pass, loops apart."""


class Program(msgspec.Struct, frozen=True):
    """A template ready to run."""

    template: Template
    parts: tuple[tuple[str, Root, int], ...]
    """Name, function and cost of each."""

    @property
    def size(self) -> int:
        """About how many bytes it takes."""
        return 20_000 + sum(4 * len(source) + 100 * cost for source, cost in self._measures())

    def _measures(self) -> Iterator[tuple[str, int]]:
        sources = self.template.sources()
        return ((sources[part], cost) for part, _, cost in self.parts)


class Compiler:
    """Compiles; keeps nothing."""

    def __init__(self) -> None:
        text, html = _language(plain), _language(escaped)
        self._text, self._html = text, html

    def language(self, part: str) -> Language:
        """What this part is written in."""
        return self._html if part == "html_body" else self._text

    def check(self, template: Template) -> list[Fault]:
        """Everything wrong with a template before it is saved: syntax, variables, sandbox, size."""
        faults = [
            Fault(f"/variables/{name}", "bad_name", f"'{name}' cannot be the name of a variable")
            for name in template.variables
            if not name.isidentifier() or name.startswith("__") or name in {RECIPIENT, "loop"}
        ]
        faults += part_faults(template.channel, template.parts, PARTS_AT, template=True)
        for part, source in template.sources().items():
            found, _ = self._part(template, part, source)
            faults += found
        return faults

    def compile(self, template: Template) -> list[Code]:
        """Its parts.

        Raises:
            Invalid: it would not pass `check`.
        """
        codes = []
        for part, source in template.sources().items():
            faults, code = self._part(template, part, source)
            if code is None:
                raise Invalid(*faults)
            codes.append(code)
        return codes

    def program(self, template: Template, codes: list[Code]) -> Program:
        """Make it run."""
        return Program(template, tuple((each.part, self._root(each), each.cost) for each in codes))

    def _root(self, code: Code) -> Root:
        language = self.language(code.part)
        names: dict[str, Value] = {"environment": language, "__file__": code.part}
        exec(code.code, names)  # noqa: S102  our own compiler's
        # Out of its own globals: without that cycle, what is dropped is freed at once, not some day.
        root = names.pop("root")
        return lambda context: root(context, missing, language)

    def _part(self, template: Template, part: str, source: str) -> tuple[list[Fault], Code | None]:
        declared = frozenset(template.variables)
        pointer, longest = place(part)
        language = self.language(part)
        if len(source) > SOURCE_MAX:
            return [Fault(pointer, "too_large", f"longer than {SOURCE_MAX} characters")], None
        try:
            if any(islice(language.lex(source, part), grammar.TOKENS_MAX, None)):  # cheaper than to parse it
                return [Fault(pointer, "too_large", f"more than {grammar.TOKENS_MAX} tokens")], None
            tree = language.parse(source, part)
            found = grammar.check(tree, declared | {RECIPIENT})
            if not found and _least(tree) > longest:
                found = [
                    grammar.TemplateFault(1, f"it never has less than {longest} characters", "too_large")
                ]
            if found:
                return [Fault(pointer, one.code, f"line {one.line}: {one.why}") for one in found], None
            cost = grammar.weigh(tree)
            return [], Code(part, language.compile(grammar.Metered().visit(tree), part), cost)
        except TemplateSyntaxError as error:
            return [Fault(pointer, "syntax", f"line {error.lineno}: {error.message}")], None
        except Exception as error:  # noqa: BLE001  whatever a source sets off is the source's fault
            return [Fault(pointer, "syntax", f"cannot be read: {type(error).__name__}")], None


def place(part: str) -> tuple[str, int]:
    """Its JSON pointer, and the most characters it may come to; texts within `parts` have their pointer as
    their name.
    """
    return PARTS.get(part) or (part, TEXT_IN_PARTS_MAX)


def compile_work(template: Template) -> int:
    """Units of work that compiling would take, estimated without it: a unit is at most 15 µs.

    Counting stops soon after `COMPILE_WORK_MAX`.

    Linear in the sources.
    """
    work = 0
    for part, source in template.sources().items():
        work += 0 if part in PARTS else _TEXT_IN_PARTS
        if work <= COMPILE_WORK_MAX:
            work += _compile_work(source, COMPILE_WORK_MAX - work)
    return work


def _compile_work(source: str, most: int) -> int:
    work, at = len(source) // _TEXT_A_COMMAND, 0
    while work <= most and (opening := _OPEN.search(source, at)):
        tag = _TAGS.match(source, opening.start())
        at = tag.end() if tag else len(source)  # no end that is sure to be one: all the rest may be its
        start, end = opening.end(), at - 2
        work += _TAG + end - start
        if work <= most:
            work += _SIGN * len(_SIGNS.findall(source, start, end))
    return work


def _least(tree: nodes.Template) -> int:
    """Characters that always come out: text outside of loops and conditions."""
    outputs = (node for node in tree.body if isinstance(node, nodes.Output))
    texts = (text.data for node in outputs for text in node.nodes if isinstance(text, nodes.TemplateData))
    return sum(len(text.strip()) for text in texts)


def _language(finalize: Callable[[Value, Value], Value]) -> Language:
    language = Language(
        undefined=NamedUndefined,
        autoescape=False,  # `finalize` escapes: nothing here makes Markup, so nothing can be taken for safe
        finalize=finalize,
        optimized=False,  # nothing is computed before there is an allowance for it
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=(),
        loader=None,
        cache_size=0,
    )
    language.globals.clear()
    language.filters = FILTERS | {name: _metered(FILTERS[name]) for name in METERED}
    language.filters |= {grammar.EACH: each, grammar.CONCAT: concat, grammar.COMPARE: compare}
    language.tests = dict(TESTS)
    return language


def _metered(function: Callable[..., Value]) -> Callable[..., Value]:
    @pass_context
    @wraps(function)
    def metered(context: RenderContext, value: Value, *args: Value, **kwargs: Value) -> Value:
        paid = _size(value) + sum(map(_size, args)) + sum(map(_size, kwargs.values()))
        context.spend(paid)
        result = function(value, *args, **kwargs)
        context.spend(max(_size(result) - paid, 0))
        return result

    return metered


def _size(value: Value) -> int:
    return len(value) if type(value) in {str, list, dict} else 1
