"""Notifications: accept them, look at them, cancel them."""

from dependency_injector import containers, providers

from adapters.postgres.intake.intake_ids import PostgresIntakeIds
from adapters.postgres.notification.acceptance import PostgresAcceptance
from adapters.postgres.notification.cancelling import PostgresCancelling
from adapters.postgres.notification.reader import PostgresReader
from adapters.telemetry.metered import MeteredAcceptance
from application.notification.cancel import CancelNotification
from application.notification.choose_routes import ChooseRoutes
from application.notification.find import FindNotification
from application.notification.group_commit import GroupCommit
from application.notification.history import ListHistory
from application.notification.packing import Pack
from application.notification.page import ListNotifications
from application.notification.prepare import Prepare
from application.notification.preview import PreviewNotification
from application.notification.preview_reach import PreviewReach
from application.notification.seal import Seal
from application.notification.submit import SubmitNotification
from config.wiring.channel import ChannelRoom
from config.wiring.device import DeviceRoom
from config.wiring.kernel import KernelRoom
from config.wiring.notification_type import NotificationTypeRoom
from config.wiring.privacy import PrivacyRoom
from config.wiring.provider import ProviderRoom
from config.wiring.rooms import needs
from config.wiring.template import TemplateRoom
from config.wiring.user import UserRoom

Single = providers.Singleton


class NotificationRoom(containers.DeclarativeContainer):
    """`intake_ids` were accepted while the database was away: they can be found and cancelled, too."""

    kernel = needs(KernelRoom)
    privacy = needs(PrivacyRoom)
    template = needs(TemplateRoom)
    notification_type = needs(NotificationTypeRoom)
    channel = needs(ChannelRoom)
    user = needs(UserRoom)
    device = needs(DeviceRoom)
    provider = needs(ProviderRoom)

    acceptance = Single(
        MeteredAcceptance,
        acceptance=Single(PostgresAcceptance, database=kernel.database, process=kernel.process),
        telemetry=kernel.telemetry,
        clock=kernel.clock,
    )
    cancelling = Single(PostgresCancelling, database=kernel.database)
    intake_ids = Single(PostgresIntakeIds, database=kernel.database)
    reader = Single(PostgresReader, database=kernel.database)
    policies = providers.Callable(lambda settings: settings.policies.by_class(), kernel.settings)

    prepare = Single(
        Prepare,
        choose=Single(
            ChooseRoutes,
            templates=template.cached,
            channels=kernel.channels_known,
            types=notification_type.known,
        ),
        addresses=user.addresses,
        vault=privacy.vault,
        ids=kernel.ids,
        senders=kernel.senders,
        open=channel.open_channels,
    )
    commit = Single(
        GroupCommit,
        acceptance=acceptance,
        seal=Single(Seal, vault=privacy.vault),
        pack=Single(
            Pack,
            ids=kernel.ids,
            handoff=kernel.handoff,
            backlog=kernel.settings.provided.accepting.pack_from,
        ),
        handoff=kernel.handoff,
        rows_max=kernel.settings.provided.accepting.rows_max,
        queue_max=kernel.settings.provided.accepting.queue_max,
        committers=kernel.settings.provided.accepting.committers,
    )
    submit = Single(SubmitNotification, prepare=prepare, commit=commit)
    preview = Single(
        PreviewNotification,
        prepare=prepare,
        users=user.users,
        channels=channel.channels,
        reach=Single(PreviewReach, devices=device.devices, gateways=provider.gateways),
        vault=privacy.vault,
        renderer=template.renderer,
        policies=policies,
        clock=kernel.clock,
    )
    cancel = Single(CancelNotification, cancelling=cancelling, intake_ids=intake_ids)
    find = Single(FindNotification, reader=reader, intake_ids=intake_ids)
    list = Single(ListNotifications, reader=reader, vault=privacy.vault)
    history = Single(ListHistory, reader=reader, intake_ids=intake_ids)
