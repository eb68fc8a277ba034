"""Bodies of requests about templates."""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.kernel.json_values import Json
from domain.template.template import Template, Variable
from entrypoints.http.kit.fields import Channel, Id, Spelled

TEMPLATE_VERSION: dict[str, Json] = {
    "name": "Order confirmation",
    "channelType": "email",
    "subjectTemplate": "Order {{ orderId }} is confirmed",
    "bodyTemplate": "Thank you, {{ recipient.name }}: {{ total }} EUR.",
    "htmlBodyTemplate": "<p>Thank you, {{ recipient.name }}: {{ total }} EUR.</p>",
    "variables": {"orderId": {"required": True}, "total": {"required": False, "default": 0}},
    "isActive": True,
}
TEMPLATE = {"e-mail": {"id": "order_confirmation_email", **TEMPLATE_VERSION}}
TEMPLATE_VERSIONS = {"e-mail": TEMPLATE_VERSION}


class TemplateVersionIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """One version of a template; it never changes once saved."""

    name: Spelled
    channel_type: Channel
    subject_template: str | None = None
    body_template: Annotated[str, Meta(description="plain text, Jinja2")] | None = None
    html_body_template: Annotated[str, Meta(description="HTML, Jinja2; values are escaped")] | None = None
    parts: Annotated[
        dict[str, Json],
        Meta(description="what the channel has beside these, such as `link` of push; texts are Jinja2"),
    ] = {}
    variables: Annotated[
        dict[str, Variable], Meta(description="every variable it uses; `recipient` is always there")
    ] = {}
    is_active: Annotated[bool, Meta(description="use this version from now on")] = True

    def draft(self, id: str) -> Template:  # noqa: A002  its name everywhere
        """The same in the application's terms."""
        return Template(
            id=id,
            version=0,
            name=self.name,
            channel=self.channel_type,
            subject=self.subject_template,
            body=self.body_template,
            html_body=self.html_body_template,
            parts=self.parts,
            variables=self.variables,
        )


class TemplateIn(TemplateVersionIn, frozen=True, kw_only=True):
    """A new template: its id and first version."""

    id: Id


TEMPLATE_NAMES = {
    "/channel": "/channelType",
    "/subject": "/subjectTemplate",
    "/body": "/bodyTemplate",
    "/htmlBody": "/htmlBodyTemplate",
}
"""From pointers of the domain's names to pointers into these bodies."""


class ActivationIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which version to use."""

    version: Annotated[int, Meta(ge=1, le=2**31 - 1, description="none: the latest")] | None = None
