"""Check a template and show what it comes to, without saving anything."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec

from application.template.ports import Renderer
from domain.channel.limits import as_sent
from domain.channel.sms import SmsSegments
from domain.kernel.errors import Fault, Invalid
from domain.kernel.json_values import Json
from domain.notification.recipient import variables
from domain.notification.request import Content, Profile
from domain.notification.words import joined
from domain.template.faults import content_faults
from domain.template.template import Rendered, Template, filled, missing

SOMEBODY = Profile(
    user_id="c-1",
    email="ada@example.com",
    phone="+447700900123",
    name="Ada Lovelace",
    locale="en-GB",
    timezone="Europe/London",
)
"""Who it is rendered for."""


class CheckedTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a template, and what it comes to."""

    faults: tuple[Fault, ...] = ()
    words: Rendered | None = None
    """None: it was not rendered, because it is wrong or variables are missing."""
    unfilled: tuple[str, ...] = ()
    """Variables that it needs and nobody gave."""
    sms: SmsSegments | None = None
    """Of a text message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckTemplate:
    """For whoever writes one."""

    renderer: Renderer
    senders: Collection[str] = ()
    """The names of the senders of e-mail that are configured."""

    async def __call__(self, template: Template, data: Mapping[str, Json]) -> CheckedTemplate:
        """Check it, and render it with this data for a recipient of our own.

        Raises:
            RenderingTimedOut, Overloaded: see `Renderer`.
        """
        if faults := [*await self.renderer.check(template), *content_faults(template, self.senders)]:
            return CheckedTemplate(faults=tuple(faults))
        if lacking := missing(template, data):
            return CheckedTemplate(unfilled=tuple(each.pointer.rpartition("/")[2] for each in lacking))
        try:
            template = await self.renderer.publish(template)
            words = await self.renderer.render(template, {**filled(template, data), **variables(SOMEBODY)})
            words = joined(words, Content(), template.channel)
        except Invalid as refused:
            return CheckedTemplate(faults=refused.faults)
        sms = as_sent(words.body or "", words.parts) if template.channel == "sms" else None
        return CheckedTemplate(words=words, sms=sms)
