"""Renders templates: parse, check, compile once, then run under a purse of work.

A template is checked again when it is compiled, so what an older release let in does not get round a newer
release's rules.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import wraps
from itertools import islice
from typing import Any

from cachetools import LRUCache
from jinja2 import Template as Compiled
from jinja2 import TemplateError, TemplateSyntaxError
from jinja2.utils import pass_context

from adapters.rendering import grammar
from adapters.rendering.filters import FILTERS, METERED, TESTS
from adapters.rendering.work import (
    TOP,
    Gap,
    Language,
    Missing,
    Purse,
    Refused,
    Variables,
    compare,
    concat,
    each,
    escaped,
    printed,
)
from domain.kernel.errors import Fault, Invalid
from domain.template.template import RECIPIENT, Rendered, Template

_COMPILED_MAX = 512
_SOURCE_MAX = 262_144
_PARTS = {"subject": ("/subject", 500), "body": ("/body", 262_144), "html_body": ("/htmlBody", 524_288)}
"""JSON pointer of each part, and the most characters it may come to."""
_CHUNKS = 32
"""How many are put together before the length is looked at: each is bounded by the data."""
_BREAK = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029]")
"""What ends a line somewhere on a header's way, or has no place in one."""
_TROUBLES = (
    TypeError,
    ValueError,
    ArithmeticError,
    LookupError,
    AttributeError,
    RecursionError,
    TemplateError,
)

_Program = tuple[str, Compiled]


class JinjaRenderer:
    """Implements `Renderer`.

    In all parts `{{ … }}` prints text and numbers only (null as nothing); `html_body` escapes what it prints.
    """

    def __init__(self, *, compiled: int = _COMPILED_MAX) -> None:
        """`compiled`: how many templates are kept compiled."""
        plain, html = _language(printed), _language(escaped)
        self._languages = {"subject": plain, "body": plain, "html_body": html}
        self._compiled: LRUCache[tuple[str, int], tuple[Template, list[_Program]]] = LRUCache(compiled)

    def check(self, template: Template) -> list[Fault]:
        """Everything wrong with a template before it is saved: syntax, variables, sandbox, size."""
        faults = [
            Fault(f"/variables/{name}", "bad_name", f"'{name}' cannot be the name of a variable")
            for name in template.variables
            if not name.isidentifier() or name.startswith("__") or name in {RECIPIENT, "loop"}
        ]
        for part, source in template.parts().items():
            found, _ = self._compile(part, source, frozenset(template.variables))
            faults += found
        return faults

    def render(self, template: Template, data: Mapping[str, Any]) -> Rendered:
        """Render all parts.

        Raises:
            Invalid: the data does not fit (a missing variable, output too large, a line break in a subject),
                or the template would not pass `check`.
        """
        variables = Variables(data)
        words = {part: _run(template, part, program, variables) for part, program in self._kept(template)}
        return Rendered(**words)

    def _kept(self, template: Template) -> list[_Program]:
        name = (template.id, template.version)
        kept = self._compiled.get(name)
        if kept is not None and kept[0] == template:  # a draft may share its number with another
            return kept[1]
        programs = []
        for part, source in template.parts().items():
            faults, program = self._compile(part, source, frozenset(template.variables))
            if program is None:
                raise Invalid(*faults)
            programs.append((part, program))
        self._compiled[name] = (template, programs)
        return programs

    def _compile(
        self, part: str, source: str, declared: frozenset[str]
    ) -> tuple[list[Fault], Compiled | None]:
        pointer, _ = _PARTS[part]
        language = self._languages[part]
        if len(source) > _SOURCE_MAX:
            return [Fault(pointer, "too_large", f"longer than {_SOURCE_MAX} characters")], None
        try:
            if any(islice(language.lex(source, part), grammar.TOKENS_MAX, None)):  # cheaper than to parse it
                return [Fault(pointer, "too_large", f"more than {grammar.TOKENS_MAX} tokens")], None
            tree = language.parse(source, part)
            found = grammar.check(tree, declared | {RECIPIENT})
            if found:
                return [Fault(pointer, one.code, f"line {one.line}: {one.why}") for one in found], None
            code = language.compile(grammar.Metered().visit(tree), part)
        except TemplateSyntaxError as error:
            return [Fault(pointer, "syntax", f"line {error.lineno}: {error.message}")], None
        except (*_TROUBLES, SyntaxError, MemoryError) as error:
            return [Fault(pointer, "syntax", f"cannot be read: {error}")], None
        return [], Compiled.from_code(language, code, {})


def _language(finalize: Callable[[Any], Any]) -> Language:
    language = Language(
        undefined=Gap,
        autoescape=False,  # `finalize` escapes: nothing here makes Markup, so nothing can be taken for safe
        finalize=finalize,
        optimized=False,  # nothing is worked out before there is a purse to pay for it
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


def _metered(function: Callable[..., Any]) -> Callable[..., Any]:
    @pass_context
    @wraps(function)
    def metered(context: Purse, value: Any, *args: Any, **kwargs: Any) -> Any:
        result = function(value, *args, **kwargs)
        context.spend(_size(value) + _size(result))
        return result

    return metered


def _size(value: Any) -> int:
    return len(value) if type(value) in {str, list, dict} else 1


def _run(template: Template, part: str, compiled: Compiled, variables: Variables) -> str:
    pointer, limit = _PARTS[part]
    try:
        words = _joined(compiled.root_render_func(Purse(variables)), limit)
    except Missing as gap:
        raise Invalid(_missing(template, gap, variables)) from None
    except Refused as no:
        raise Invalid(Fault("/data", "cannot_render", f"template '{template.id}', {pointer}: {no}")) from None
    except _TROUBLES as error:
        trouble = f"template '{template.id}', {pointer}: {type(error).__name__} with this data"
        raise Invalid(Fault("/data", "cannot_render", trouble)) from None
    if part == "subject" and _BREAK.search(words):
        raise Invalid(Fault("/data", "line_break", f"template '{template.id}': a subject is one line"))
    return words


def _joined(chunks: Iterator[str], limit: int) -> str:
    words = ""
    while batch := list(islice(chunks, _CHUNKS)):
        words += "".join(batch)
        if len(words) > limit:
            raise Refused("comes out too long")
    return words


def _missing(template: Template, gap: Missing, variables: Mapping[str, Any]) -> Fault:
    """Name the gap by its place in the data: looked for only now, when it costs nothing on the hot path."""
    base: str | None = ""
    if gap.holder is not TOP:
        base = _place(gap.holder, variables) if type(gap.holder) in {dict, list} else None
    if base is None:
        why = f"template '{template.id}' asks for '{gap.name}' of something that has no members"
        return Fault("/data", "missing_variable", why)
    path = f"{base}/{_escaped(gap.name)}"
    pointer = path if f"{path}/".startswith(f"/{RECIPIENT}/") else f"/data{path}"
    spelled = path[1:].replace("/", ".")
    return Fault(pointer, "missing_variable", f"template '{template.id}' needs the variable '{spelled}'")


def _place(holder: Any, within: Any) -> str | None:
    """JSON pointer of an object inside the data, by identity."""
    if within is holder:
        return ""
    if not isinstance(within, Mapping | list):
        return None
    for name, member in within.items() if isinstance(within, Mapping) else enumerate(within):
        if (below := _place(holder, member)) is not None:
            return f"/{_escaped(name)}{below}"
    return None


def _escaped(name: Any) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")
