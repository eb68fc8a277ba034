"""Templates: immutable versions of content for one channel, with the variables they declare."""

from collections.abc import Mapping

import msgspec

from domain.kernel.errors import Fault
from domain.kernel.json_values import Json

RECIPIENT = "recipient"
"""Always there while rendering: `recipient.name`, `.email`, `.phone`, `.locale`, `.timezone`."""


class Variable(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A variable that the template declares."""

    required: bool = True
    default: Json = None
    description: str = ""


class Template(msgspec.Struct, frozen=True, kw_only=True):
    """One immutable version."""

    id: str
    version: int
    name: str
    channel: str
    subject: str | None = None
    body: str | None = None
    html_body: str | None = None
    variables: dict[str, Variable] = {}

    def parts(self) -> dict[str, str]:
        """The sources of the parts that the template has, by field name."""
        named = {"subject": self.subject, "body": self.body, "html_body": self.html_body}
        return {name: source for name, source in named.items() if source is not None}


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """The rendered parts of one message."""

    subject: str | None = None
    body: str | None = None
    html_body: str | None = None


def missing(template: Template, data: Mapping[str, object], at: str = "/data") -> list[Fault]:
    """Faults for every required variable that `data` lacks; pointers begin with `at`."""
    return [
        Fault(f"{at}/{name}", "missing_variable", f"template '{template.id}' needs the variable '{name}'")
        for name, variable in template.variables.items()
        if variable.required and name not in data
    ]


def filled(template: Template, data: Mapping[str, object]) -> dict[str, Json]:
    """The data with the defaults of optional variables put in."""
    defaults = {n: v.default for n, v in template.variables.items() if not v.required}
    return {**defaults, **data}
