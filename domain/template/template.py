"""Templates: immutable versions of content for one channel, with the variables they declare."""

from collections.abc import Mapping

import msgspec

from domain.channel.content import texts
from domain.kernel.errors import Fault
from domain.kernel.json_values import Json

RECIPIENT = "recipient"
"""Always there while rendering: `recipient.name`, `.email`, `.phone`, `.locale`, `.timezone`."""


PARTS_AT = "/parts"
"""Where the pointers of texts within `Template.parts` begin."""


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
    parts: dict[str, Json] = {}
    """What the channel has beside these: see `domain.channel.content`."""
    variables: dict[str, Variable] = {}

    def sources(self) -> dict[str, str]:
        """Everything in it that is rendered: by field name, and texts within `parts` by JSON pointer."""
        named = {"subject": self.subject, "body": self.body, "html_body": self.html_body}
        given = {name: source for name, source in named.items() if source is not None}
        return {**given, **dict(texts(self.parts, PARTS_AT))} if self.parts else given


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """What one message says."""

    subject: str | None = None
    body: str | None = None
    html_body: str | None = None
    parts: dict[str, Json] = {}
    """What the channel has beside these."""


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
