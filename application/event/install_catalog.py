"""Install the shipped templates and triggers; what an operator has is left alone."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from application.template.ports import Templates
from application.trigger.ports import Triggers
from domain.kernel.errors import Conflict
from domain.template.template import Template
from domain.trigger.trigger import Trigger


class Installed(msgspec.Struct, frozen=True):
    """Ids of what was not there before."""

    templates: list[str]
    triggers: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class InstallCatalog:
    """Adds what is missing by id.  Switch a shipped trigger off, do not delete it: it would come back."""

    templates: Templates
    triggers: Triggers

    async def __call__(self, templates: Sequence[Template], triggers: Sequence[Trigger]) -> Installed:
        """Add them, templates first: no trigger may point at nothing.  Safe to run twice at once."""
        installed = Installed([], [])
        for template in templates:
            if await self.templates.page("", 1, template=template.id):
                continue
            with suppress(Conflict):
                await self.templates.add(template, expected=0, activate=True)
                installed.templates.append(template.id)
        for trigger in triggers:
            if await self.triggers.get(trigger.id) is None:
                with suppress(Conflict):
                    await self.triggers.put(trigger, expected=0)
                    installed.triggers.append(trigger.id)
        return installed
