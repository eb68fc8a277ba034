"""Accepting while the database is away: what is promised then is accepted when it is back."""

from dependency_injector import containers, providers

from application.intake.absence import Absence
from application.intake.defer import DeferNotifications
from application.intake.drain import DrainIntake
from application.intake.submit_or_defer import SubmitOrDefer
from application.notification.submit import SubmitNotification
from config.wiring.broker import BrokerRoom
from config.wiring.kernel import KernelRoom
from config.wiring.notification import NotificationRoom
from config.wiring.privacy import PrivacyRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class IntakeRoom(containers.DeclarativeContainer):
    """`accept` is what the API calls; embedded mode promises nothing, its database does not go away."""

    kernel = needs(KernelRoom)
    privacy = needs(PrivacyRoom)
    broker = needs(BrokerRoom)
    notification = needs(NotificationRoom)

    absence = Single(Absence, clock=kernel.clock, silent=kernel.database.provided.silent)
    submit_or_defer = Single(
        SubmitOrDefer,
        prepare=notification.prepare,
        commit=notification.commit,
        defer=Single(DeferNotifications, publisher=broker.publisher, key=privacy.vault),
        absence=absence,
    )
    accept: providers.Provider[SubmitNotification | SubmitOrDefer] = providers.Selector(
        kernel.embedded, yes=notification.submit, no=submit_or_defer
    )
    drain = Single(
        DrainIntake,
        key=privacy.vault,
        prepare=notification.prepare,
        commit=notification.commit,
        promises=notification.promises,
    )
