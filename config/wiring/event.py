"""Events of the shop: handle them, and install the triggers that Posthorn ships."""

from dependency_injector import containers, providers

from application.event.handle import HandleEvents
from application.event.install_catalog import InstallCatalog
from config.wiring.device import DeviceRoom
from config.wiring.notification import NotificationRoom
from config.wiring.rooms import needs
from config.wiring.template import TemplateRoom
from config.wiring.trigger import TriggerRoom
from config.wiring.user import UserRoom

Single = providers.Singleton


class EventRoom(containers.DeclarativeContainer):
    """An event changes a user, or its triggers submit notifications."""

    template = needs(TemplateRoom)
    trigger = needs(TriggerRoom)
    user = needs(UserRoom)
    device = needs(DeviceRoom)
    notification = needs(NotificationRoom)

    handle = Single(
        HandleEvents,
        triggers=trigger.index,
        update_users=user.update_users,
        update_devices=device.update,
        submit=notification.submit.provided.many,
    )
    install_catalog = Single(InstallCatalog, templates=template.templates, triggers=trigger.triggers)
