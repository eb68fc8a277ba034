"""Renders templates in the calling thread: compile once, then run under an allowance of work."""

from collections.abc import Iterator, Mapping
from itertools import islice

import msgspec
from cachetools import LRUCache

from adapters.rendering.allowance import Allowance, RenderContext, Variables, WorkExceeded
from adapters.rendering.compiler import Code, Compiler, Program, place
from adapters.rendering.runtime import TOP, Missing, RenderingRefused
from adapters.rendering.values import Value
from domain.channel.content import filled_in, typed
from domain.kernel.errors import Fault, Invalid
from domain.kernel.text import unbroken
from domain.template.template import PARTS_AT, RECIPIENT, Rendered, Template

KEPT_MAX = 64 * 1024 * 1024
"""Bytes of compiled templates, about."""
_CHUNKS = 32
"""How many are put together before the length is looked at; each is paid for."""
_PART = 8
"""Units of work that a part costs before anything is in it."""
_SEARCHED_MAX = 20_000
"""Members of the data that are looked through to say where one is missing."""


class JinjaRenderer:
    """Bounded in work, not in time.  What nobody waits for renders here as a whole; others use `attempt`.

    In all parts `{{ … }}` prints text and numbers only (null as nothing); `html_body` escapes what it prints.
    """

    def __init__(self, *, kept: int = KEPT_MAX) -> None:
        """`kept`: about how many bytes of compiled templates."""
        self._compiler = Compiler()
        self._kept: LRUCache[tuple[str, int], Program] = LRUCache(kept, getsizeof=lambda each: each.size)

    def check(self, template: Template) -> list[Fault]:
        """Everything wrong with a template before it is saved: syntax, variables, sandbox, size."""
        return self._compiler.check(template)

    def compile(self, template: Template) -> list[Code]:
        """Its parts, compiled.

        Raises:
            Invalid: it would not pass `check`.
        """
        return self._compiler.compile(template)

    def kept(self, template: Template) -> Program | None:
        """The program of this template, if it is at hand."""
        program = self._kept.get((template.id, template.version))
        # A draft may share its number with another.
        return program if program is not None and program.template == template else None

    def keep(self, template: Template, codes: list[Code]) -> Program:
        """Make a program of it and keep it at hand."""
        program = self._compiler.program(template, codes)
        if program.size <= self._kept.maxsize:
            self._kept[(template.id, template.version)] = program
        return program

    def render(
        self, template: Template, data: Mapping[str, object], allowance: Allowance | None = None
    ) -> Rendered:
        """Render all parts.

        Raises:
            Invalid: the data does not fit (a missing variable, output too large, too much work), or the
                template would not pass `check`.
        """
        program = self.kept(template) or self.keep(template, self.compile(template))
        try:
            return self.attempt(program, data, allowance or Allowance())
        except WorkExceeded:
            raise too_much_work(template) from None

    def attempt(self, program: Program, data: Mapping[str, object], allowance: Allowance) -> Rendered:
        """Render all parts as far as the allowance reaches.

        Raises:
            Invalid: the data does not fit.
            WorkExceeded: there is more to do than is allowed.
        """
        variables = Variables(data)
        context = RenderContext(variables, allowance)
        words = {}
        part = ""
        try:
            for part, root, cost in program.parts:
                context.spend(_PART + cost)
                words[part] = _joined(root(context), place(part)[1])
        except WorkExceeded:
            raise
        except Missing as missing:
            raise Invalid(_missing(program.template, missing, variables)) from None
        except RenderingRefused as no:
            raise Invalid(_fault(program.template, part, str(no))) from None
        except Exception as error:  # noqa: BLE001  whatever a template does with its data is no fault of ours
            trouble = f"{type(error).__name__} with this data"
            raise Invalid(_fault(program.template, part, trouble)) from None
        finally:
            context.close()
        if "subject" in words:
            words["subject"] = unbroken(words["subject"])
        return _rendered(program.template, words)


def _rendered(template: Template, words: dict[str, str]) -> Rendered:
    rendered = Rendered(
        subject=words.get("subject"), body=words.get("body"), html_body=words.get("html_body")
    )
    if not template.parts:
        return rendered
    parts = typed(template.channel, filled_in(template.parts, PARTS_AT, words))
    return msgspec.structs.replace(rendered, parts=parts)


def too_much_work(template: Template) -> Invalid:
    """What is said when the whole allowance was not enough."""
    why = f"template '{template.id}': it does too much work with this data"
    return Invalid(Fault("/data", "cannot_render", why))


def _fault(template: Template, part: str, why: str) -> Fault:
    pointer, _ = place(part)
    return Fault("/data", "cannot_render", f"template '{template.id}', {pointer}: {why}")


def _joined(chunks: Iterator[str], limit: int) -> str:
    words = ""
    while batch := list(islice(chunks, _CHUNKS)):
        words += "".join(batch)
        if len(words) > limit:
            raise RenderingRefused("comes out too long")
    return words


def _missing(template: Template, missing: Missing, variables: Mapping[str, object]) -> Fault:
    """Name a missing variable by its place in the data, which is looked for only when one is missing.

    Names that the template does not say itself are the data's, and may be a user's: `*` stands for them.
    """
    names: list[Value] | None = []
    if missing.holder is not TOP:
        names = _place(missing.holder, variables) if type(missing.holder) in {dict, list} else None
    sources = "".join(template.sources().values())
    last, *steps = [
        name if type(name) is int or str(name) in sources else "*" for name in (missing.name, *(names or ()))
    ]
    if names is None:
        why = f"template '{template.id}' asks for '{last}' of something that has no members"
        return Fault("/data", "missing_variable", why)
    path = "".join(f"/{_escaped(name)}" for name in (*steps, last))
    pointer = path if f"{path}/".startswith(f"/{RECIPIENT}/") else f"/data{path}"
    spelled = path[1:].replace("/", ".")
    return Fault(pointer, "missing_variable", f"template '{template.id}' needs the variable '{spelled}'")


def _place(holder: object, variables: Mapping[str, object]) -> list[Value] | None:
    """Names and places on the way to an object inside the data, by identity."""
    found: list[tuple[Value, list[Value]]] = [(variables, [])]
    left = _SEARCHED_MAX
    while found and left > 0:
        value, way = found.pop()
        for name, member in islice(value.items() if isinstance(value, dict) else enumerate(value), left):
            left -= 1
            if type(member) in {dict, list}:
                if member is holder:
                    return [*way, name]
                found.append((member, [*way, name]))
    return None


def _escaped(name: object) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")
