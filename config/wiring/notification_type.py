"""Registered types of notifications."""

from dependency_injector import containers, providers

from adapters.postgres.notification_type.notification_types import PostgresNotificationTypes
from application.notification_type.delete import DeleteNotificationType
from application.notification_type.known_types import KnownTypes
from application.notification_type.save import SaveNotificationType
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs
from config.wiring.template import TemplateRoom

Single = providers.Singleton


class NotificationTypeRoom(containers.DeclarativeContainer):
    """Rows of types; who prepares requests reads them from `known`."""

    kernel = needs(KernelRoom)
    template = needs(TemplateRoom)

    types = Single(PostgresNotificationTypes, database=kernel.database)
    known = Single(KnownTypes, types=types, clock=kernel.clock)
    save = Single(
        SaveNotificationType,
        types=types,
        known=known,
        templates=template.templates,
        channels=kernel.channels_known,
    )
    delete = Single(DeleteNotificationType, types=types, known=known)
