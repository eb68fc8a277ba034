"""Templates into words."""

from collections.abc import Mapping
from typing import Any, Protocol

from domain.kernel.errors import Fault
from domain.template.template import Rendered, Template


class Renderer(Protocol):
    """Sandboxed rendering; compiled templates are kept, versions never change."""

    def check(self, template: Template) -> list[Fault]:
        """Everything wrong with a template to be saved: syntax, undeclared variables, sandbox, size."""
        ...

    def render(self, template: Template, data: Mapping[str, Any]) -> Rendered:
        """Render all parts.

        Raises:
            Invalid: the data does not fit (a missing variable, output too large, a line break in a subject).
        """
        ...
