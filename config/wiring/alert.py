"""Alerts for operators: dead letters, lanes that are late, providers that rest."""

from dependency_injector import containers, providers

from adapters.alerts.webhook import SignedHook
from adapters.http.egress import Egress
from adapters.postgres.alert.alerts import PostgresAlerts
from application.alert.dead_letters import AlertDeadLetters
from application.alert.lanes import AlertStalledLanes
from application.alert.providers import AlertPausedProviders
from application.kernel.ports import Clock
from config.alerts import allowed, signing_key
from config.settings import Settings
from config.wiring.kernel import KernelRoom
from config.wiring.outbox import OutboxRoom
from config.wiring.provider import ProviderRoom
from config.wiring.rooms import needs

Single = providers.Singleton


def operators_hook(settings: Settings, clock: Clock) -> SignedHook | None:
    """The webhook of the operators; None: alerts go to the log alone.

    Raises:
        Misconfigured: alerts.secret or alerts.networks cannot be used.
    """
    alerts = settings.alerts
    if alerts.url is None:
        return None
    secure = alerts.url.reveal().startswith("https://")
    egress = Egress(secure=secure, networks=allowed(alerts), ports=None)  # the operator names the port, too
    return SignedHook(url=alerts.url, key=signing_key(alerts), now=clock.now, egress=egress)


class AlertRoom(containers.DeclarativeContainer):
    """All alerts go to one webhook."""

    kernel = needs(KernelRoom)
    provider = needs(ProviderRoom)
    outbox = needs(OutboxRoom)

    alerts = Single(PostgresAlerts, database=kernel.database)
    hook = Single(operators_hook, kernel.settings, kernel.clock)
    dead_letters = Single(
        AlertDeadLetters,
        alerts=alerts,
        hook=hook,
        clock=kernel.clock,
        quiet=kernel.settings.provided.alerts.every,
    )
    lanes = Single(
        AlertStalledLanes,
        overdue=outbox.overdue,
        hook=hook,
        clock=kernel.clock,
        longest=kernel.settings.provided.alerts.waiting_max,
    )
    paused_providers = Single(
        AlertPausedProviders, providers=provider.states, hook=hook, clock=kernel.clock, process=kernel.process
    )
