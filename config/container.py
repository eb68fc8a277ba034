"""The composition root: the rooms of `config.wiring`, put together.  It opens nothing.

What a process does not ask for is not made.
"""

from pathlib import Path

from dependency_injector import containers, providers

from config.settings import Settings
from config.wiring.access import AccessRoom
from config.wiring.alert import AlertRoom
from config.wiring.attempt import AttemptRoom
from config.wiring.broker import BrokerRoom
from config.wiring.channel import ChannelRoom
from config.wiring.dead_letter import DeadLetterRoom
from config.wiring.delivery import DeliveryRoom
from config.wiring.device import DeviceRoom
from config.wiring.event import EventRoom
from config.wiring.intake import IntakeRoom
from config.wiring.job import JobRoom
from config.wiring.kernel import KernelRoom
from config.wiring.notification import NotificationRoom
from config.wiring.notification_type import NotificationTypeRoom
from config.wiring.outbox import OutboxRoom
from config.wiring.privacy import PrivacyRoom
from config.wiring.provider import ProviderRoom
from config.wiring.recovery import RecoveryRoom
from config.wiring.rooms import room
from config.wiring.secret import SecretRoom
from config.wiring.template import TemplateRoom
from config.wiring.trigger import TriggerRoom
from config.wiring.user import UserRoom


class Container(containers.DeclarativeContainer):
    """Everything a process may need; `folder` is where embedded mode keeps its data, None without it."""

    settings = providers.Dependency(instance_of=Settings)
    folder: providers.Provider[Path | None] = providers.Object(None)

    kernel = room(KernelRoom, settings=settings, folder=folder)
    broker = room(BrokerRoom, kernel=kernel)
    privacy = room(PrivacyRoom, kernel=kernel)
    secret = room(SecretRoom, kernel=kernel)
    provider = room(ProviderRoom, kernel=kernel, secret=secret)
    template = room(TemplateRoom, kernel=kernel)
    job = room(JobRoom, kernel=kernel)
    access = room(AccessRoom, kernel=kernel)
    attempt = room(AttemptRoom, kernel=kernel)
    user = room(UserRoom, kernel=kernel, privacy=privacy)
    device = room(DeviceRoom, kernel=kernel, privacy=privacy, user=user)
    notification_type = room(NotificationTypeRoom, kernel=kernel, template=template)
    trigger = room(TriggerRoom, kernel=kernel, template=template, notification_type=notification_type)
    channel = room(ChannelRoom, kernel=kernel, provider=provider, job=job, broker=broker)
    recovery = room(RecoveryRoom, kernel=kernel, broker=broker, channel=channel)
    outbox = room(OutboxRoom, kernel=kernel, broker=broker, channel=channel)
    alert = room(AlertRoom, kernel=kernel, provider=provider, outbox=outbox)
    notification = room(
        NotificationRoom,
        kernel=kernel,
        privacy=privacy,
        template=template,
        notification_type=notification_type,
        channel=channel,
        user=user,
        device=device,
        provider=provider,
    )
    intake = room(IntakeRoom, kernel=kernel, privacy=privacy, broker=broker, notification=notification)
    event = room(
        EventRoom,
        template=template,
        trigger=trigger,
        user=user,
        device=device,
        notification=notification,
    )
    delivery = room(
        DeliveryRoom,
        kernel=kernel,
        privacy=privacy,
        provider=provider,
        template=template,
        channel=channel,
        notification=notification,
    )
    dead_letter = room(DeadLetterRoom, kernel=kernel, broker=broker, delivery=delivery)
