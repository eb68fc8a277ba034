"""The renderer of a process: what is cheap is done in place."""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.rendering.renderer import JinjaRenderer
from domain.kernel.errors import Fault, Invalid
from domain.template.template import Rendered, Template


class BoundedRenderer:
    """Implements `Renderer`."""

    def __init__(self) -> None:
        self._inner = JinjaRenderer()

    async def check(self, template: Template) -> list[Fault]:
        """See `Renderer.check`."""
        return self._inner.check(template)

    async def render(self, template: Template, data: Mapping[str, Any]) -> Rendered:
        """See `Renderer.render`."""
        return self._inner.render(template, data)

    async def render_each(
        self, template: Template, data: Sequence[Mapping[str, Any]]
    ) -> list[Rendered | Invalid]:
        """See `Renderer.render_each`."""
        made: list[Rendered | Invalid] = []
        for each in data:
            try:
                made.append(self._inner.render(template, each))
            except Invalid as refused:
                made.append(refused)
        return made
