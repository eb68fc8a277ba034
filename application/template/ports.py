"""The store of templates, and their renderer; for `expected` see `application.kernel.versioned`."""

from collections.abc import Mapping, Sequence
from typing import Protocol

import msgspec

from domain.kernel.errors import Fault, Invalid
from domain.template.template import Rendered, Template


class TemplateHead(msgspec.Struct, frozen=True, kw_only=True):
    """A template as a list shows it."""

    id: str
    name: str
    channel: str
    latest: int
    active: int | None
    """The version in use, or None."""


class Templates(Protocol):
    """Immutable versions; one of each template is active."""

    async def find(self, template: str, version: int | None = None) -> Template | None:
        """A version, or the active one."""
        ...

    async def add(self, draft: Template, *, expected: int | None, activate: bool) -> Template:
        """Save as the next version (the draft's own number is not looked at).

        Raises:
            Conflict: `expected` is not the latest version.
        """
        ...

    async def activate(self, template: str, version: int | None, *, expected: int | None) -> TemplateHead:
        """Use this version from now on; None: none (switched off).

        Raises:
            NotFound, Conflict.
        """
        ...

    async def page(
        self, after: str, limit: int, *, channel: str | None = None, template: str | None = None
    ) -> list[TemplateHead]:
        """Heads in id order, behind `after`."""
        ...


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

    async def publish(self, template: Template) -> Template:
        """The template as it is kept: an e-mail's styles are put inline, where all mail programs read them.

        Raises:
            Invalid: they cannot be; `parts.inlineCss` says that they need not.
            Overloaded: too much waits to be rendered.
        """
        ...

    async def render(self, template: Template, data: Mapping[str, object]) -> Rendered:
        """Render all parts, with one budget of work for all of them.

        Raises:
            Invalid: the data does not fit (a missing variable, output too large, too much work): as it will
                not the next time.
            RenderingTimedOut: stopped at its deadline.
            Overloaded: too much waits to be rendered.
        """
        ...

    async def render_each(
        self, template: Template, data: Mapping[str, object], own: Sequence[Mapping[str, object]]
    ) -> list[Rendered | Invalid]:
        """Render for several, with one budget of work for all together; each has words or what is wrong.

        Args:
            data: what they share.
            own: what each has beside that.

        Raises:
            RenderingTimedOut, Overloaded: as above.
        """
        ...
