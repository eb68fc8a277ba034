"""The renderer of a process: cheap renders run in place, others in a child that can be killed.

A render is tried in the process with a small allowance of work and a few milliseconds, which is enough for
nearly all; if it is not enough, a child renders it.  A short template is compiled in the process; a long one
is compiled by a child, and its code is then run like any other.
"""

import asyncio
import marshal
from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import NamedTuple

from msgspec import structs

from adapters.rendering.allowance import Allowance, WorkExceeded
from adapters.rendering.compiler import COMPILE_WORK_MAX, Code, Program, compile_work
from adapters.rendering.frames import (
    Answer,
    Check,
    Compile,
    Compiled,
    Faults,
    Inline,
    Inlined,
    Question,
    Render,
    RenderedEach,
    RenderedOne,
)
from adapters.rendering.pool import RenderingPool
from adapters.rendering.publishing import has_styles, inlined
from adapters.rendering.renderer import JinjaRenderer, too_much_work
from domain.kernel.errors import Fault, Invalid, Overloaded, RenderingTimedOut
from domain.template.template import Rendered, Template

WORK_IN_PLACE, SECONDS_IN_PLACE = 20_000, 0.005


class ChildTime(NamedTuple):
    """Seconds to wait for a child, and seconds that the child has."""

    patience: float
    deadline: float


RENDERING = ChildTime(1.0, 1.0)
EDITING = ChildTime(5.0, 5.0)
"""For compiling, which is done once, and for users who edit templates."""


class BoundedRenderer:
    """Implements `Renderer`.

    Args:
        pool: None: everything in place, bounded by work alone; for where there are no processes.
        rendering: for one notification.
        editing: for compiling, checking and dry runs.
    """

    def __init__(
        self,
        pool: RenderingPool | None = None,
        *,
        rendering: ChildTime = RENDERING,
        editing: ChildTime = EDITING,
    ) -> None:
        self._pool = pool
        self._rendering, self._editing = rendering, editing
        self._inner = JinjaRenderer()
        self._compiling: dict[tuple[str, int], asyncio.Task[Program]] = {}

    async def check(self, template: Template) -> list[Fault]:
        """See `Renderer.check`."""
        if self._pool is None or compile_work(template) <= COMPILE_WORK_MAX:
            return self._inner.check(template)
        try:
            answer = await _ask(self._pool, Check(template), self._editing)
        except RenderingTimedOut as late:
            raise Overloaded(str(late)) from late
        return _faults(answer)

    async def publish(self, template: Template) -> Template:
        """See `Renderer.publish`."""
        if not has_styles(template):
            return template
        if self._pool is None:
            return structs.replace(template, html_body=inlined(template))
        try:
            answer = await _ask(self._pool, Inline(template), self._editing)
        except RenderingTimedOut as late:
            raise Overloaded(str(late)) from late
        if not isinstance(answer, Inlined):
            raise Invalid(*_faults(answer))
        return structs.replace(template, html_body=answer.html)

    async def render(self, template: Template, data: Mapping[str, object]) -> Rendered:
        """See `Renderer.render`."""
        program = self._inner.kept(template) or await self._program(template)
        try:
            return self._inner.attempt(program, data, self._allowance())
        except WorkExceeded:
            if self._pool is None:
                raise too_much_work(template) from None
        asked = Render(template, {}, [dict(data)])
        (made,) = _rendered_each(await _ask(self._pool, asked, self._rendering))
        if isinstance(made, Invalid):
            raise made
        return made

    async def render_each(
        self, template: Template, data: Mapping[str, object], own: Sequence[Mapping[str, object]]
    ) -> list[Rendered | Invalid]:
        """See `Renderer.render_each`."""
        program = self._inner.kept(template) or await self._program(template)
        allowance = self._allowance()
        made: list[Rendered | Invalid] = []
        for each in own:
            try:
                made.append(self._inner.attempt(program, {**data, **each}, allowance))
            except Invalid as refused:
                made.append(refused)
            except WorkExceeded:
                if self._pool is not None:
                    break
                made.append(too_much_work(template))
        else:
            return made
        asked = Render(template, dict(data), [dict(each) for each in own])
        return _rendered_each(await _ask(self._pool, asked, self._editing))

    def _allowance(self) -> Allowance:
        if self._pool is None:
            return Allowance()
        return Allowance(WORK_IN_PLACE, perf_counter() + SECONDS_IN_PLACE)

    async def _program(self, template: Template) -> Program:
        if self._pool is None or compile_work(template) <= COMPILE_WORK_MAX:
            return self._inner.keep(template, self._inner.compile(template))
        key = (template.id, template.version)
        compiling = self._compiling.get(key)
        if compiling is None:
            compiling = asyncio.create_task(self._compiled(self._pool, template))
            self._compiling[key] = compiling
            compiling.add_done_callback(lambda _: self._compiling.pop(key))
        program = await asyncio.shield(compiling)
        if program.template == template:
            return program
        return await self._compiled(self._pool, template)  # a draft that shares its number with another

    async def _compiled(self, pool: RenderingPool, template: Template) -> Program:
        answer = await _ask(pool, Compile(template), self._editing)
        if not isinstance(answer, Compiled):
            raise Invalid(*_faults(answer))
        codes = [Code(part, marshal.loads(code), cost) for part, code, cost in answer.parts]
        return self._inner.keep(template, codes)


async def _ask(pool: RenderingPool, question: Question, time: ChildTime) -> Answer:
    return await pool.ask(question, patience=time.patience, deadline=time.deadline)


def _faults(answer: Answer) -> list[Fault]:
    return answer.faults if isinstance(answer, Faults) else []


def _rendered_each(answer: Answer) -> list[Rendered | Invalid]:
    if not isinstance(answer, RenderedEach):
        raise Invalid(*_faults(answer))
    return [each.whole() if isinstance(each, RenderedOne) else Invalid(*each.faults) for each in answer.each]
