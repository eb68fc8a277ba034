"""Templates into words."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from domain.kernel.errors import Fault, Invalid
from domain.template.template import Rendered, Template


class Renderer(Protocol):
    """Sandboxed rendering, bounded in work and time whatever a template and its data are.

    Versions never change, so they are kept compiled.
    """

    async def check(self, template: Template) -> list[Fault]:
        """Everything wrong with a template to be saved: syntax, undeclared variables, sandbox, size.

        Raises:
            Overloaded: too much waits to be rendered.
        """
        ...

    async def render(self, template: Template, data: Mapping[str, Any]) -> Rendered:
        """Render all parts, with one budget of work for all of them.

        Raises:
            Invalid: the data does not fit (a missing variable, output too large, too much work): as it will
                not the next time.
            RenderingTimedOut: stopped at its deadline.
            Overloaded: too much waits to be rendered.
        """
        ...

    async def render_each(
        self, template: Template, data: Mapping[str, Any], own: Sequence[Mapping[str, Any]]
    ) -> list[Rendered | Invalid]:
        """Render for several, with one budget of work for all together; each has words or what is wrong.

        Args:
            data: what they share.
            own: what each has beside that.

        Raises:
            RenderingTimedOut, Overloaded: as above.
        """
        ...
