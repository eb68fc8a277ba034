"""Triggers: which event of the shop becomes which notification."""

from dependency_injector import containers, providers

from adapters.postgres.trigger.triggers import PostgresTriggers
from application.event.trigger_index import TriggerIndex
from application.trigger.save import SaveTrigger
from config.wiring.kernel import KernelRoom
from config.wiring.notification_type import NotificationTypeRoom
from config.wiring.rooms import needs
from config.wiring.template import TemplateRoom

Single = providers.Singleton


class TriggerRoom(containers.DeclarativeContainer):
    """Rows of triggers, and an index of them by event for who handles events."""

    kernel = needs(KernelRoom)
    template = needs(TemplateRoom)
    notification_type = needs(NotificationTypeRoom)

    triggers = Single(PostgresTriggers, database=kernel.database)
    index = Single(TriggerIndex, triggers=triggers, clock=kernel.clock)
    save = Single(SaveTrigger, triggers=triggers, templates=template.templates, types=notification_type.types)
