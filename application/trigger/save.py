"""Save a trigger, once its paths are right and its template exists."""

from dataclasses import dataclass

from application.kernel.versioned import Versioned
from application.notification_type.ports import NotificationTypes
from application.template.ports import Templates
from application.trigger.ports import Triggers
from domain.kernel.errors import Fault, Invalid
from domain.trigger.trigger import Trigger, check


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveTrigger:
    """Creates or replaces."""

    triggers: Triggers
    templates: Templates
    types: NotificationTypes

    async def __call__(self, trigger: Trigger, *, expected: int | None) -> Versioned[Trigger]:
        """Save; `expected` is the version the caller has seen, 0 to create.

        Raises:
            Invalid: with everything that is wrong with it.
            Conflict: it changed meanwhile, or, with 0, it is there already.
        """
        faults = check(trigger)
        faults += await self._template_faults(trigger)
        if faults:
            raise Invalid(*faults)
        return await self.triggers.put(trigger, expected=expected)

    async def _template_faults(self, trigger: Trigger) -> list[Fault]:
        if trigger.template is None:
            if await self.types.get(trigger.type) is not None:
                return []
            detail = f"name a template, or register the type: PUT /api/notification-types/{trigger.type}"
            return [Fault("/template", "missing", detail)]
        if not await self.templates.page("", 1, template=trigger.template):
            return [Fault("/template", "unknown_template", f"no template '{trigger.template}'")]
        return []
