"""Accepting while the database is away: what is promised then is accepted when it is back."""

from dependency_injector import containers, providers

from application.intake.commit import CommitIntake
from application.intake.outage import StoreOutage
from application.intake.publish import PublishToIntake
from application.intake.submit_with_intake import SubmitWithIntake
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

    outage = Single(StoreOutage, clock=kernel.clock, silent=kernel.database.provided.silent)
    submit_or_defer = Single(
        SubmitWithIntake,
        prepare=notification.prepare,
        commit=notification.commit,
        publish_to_intake=Single(PublishToIntake, publisher=broker.publisher, key=privacy.vault),
        outage=outage,
    )
    accept: providers.Provider[SubmitNotification | SubmitWithIntake] = providers.Selector(
        kernel.embedded, yes=notification.submit, no=submit_or_defer
    )
    commit_intake = Single(
        CommitIntake,
        key=privacy.vault,
        prepare=notification.prepare,
        commit=notification.commit,
        intake_ids=notification.intake_ids,
    )
