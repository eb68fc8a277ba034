"""Register a type, once its channels are known and its templates are there."""

from collections.abc import Collection
from dataclasses import dataclass

from application.kernel.versioned import Versioned
from application.notification_type.known_types import TYPES_MAX, KnownTypes
from application.notification_type.ports import NotificationTypes
from application.template.ports import Templates
from domain.kernel.errors import Fault, Invalid
from domain.kernel.json_values import below
from domain.notification_type.notification_type import NotificationType, faults


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveNotificationType:
    """Creates or replaces; other processes follow within seconds."""

    types: NotificationTypes
    known: KnownTypes
    templates: Templates
    channels: Collection[str]

    async def __call__(self, kind: NotificationType, *, expected: int | None) -> Versioned[NotificationType]:
        """Save; `expected` is the version the caller has seen, 0 to create.

        Raises:
            Invalid: with everything that is wrong with it.
            Conflict: it changed meanwhile, or, with 0, it is there already.
        """
        found = faults(kind, self.channels)
        for channel, template in kind.templates.items():
            heads = await self.templates.page("", 1, template=template)
            at = below("/templates", channel)
            if not heads:
                found.append(Fault(at, "unknown_template", f"no template '{template}'"))
            elif heads[0].channel != channel:
                detail = f"template '{template}' is for {heads[0].channel}, not {channel}"
                found.append(Fault(at, "wrong_channel", detail))
        if expected == 0 and len(await self.types.page("", TYPES_MAX)) >= TYPES_MAX:
            found.append(Fault("", "too_many", f"there are {TYPES_MAX:,} types: delete one first"))
        if found:
            raise Invalid(*found)
        saved = await self.types.put(kind, expected=expected)
        self.known.forget()
        return saved
