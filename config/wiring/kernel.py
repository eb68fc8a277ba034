"""What every room stands on: settings, clock, chance, ids, telemetry, the database, the process itself."""

from importlib.metadata import version
from pathlib import Path

from dependency_injector import containers, providers

from adapters.embedded.postgres import EmbeddedPostgres
from adapters.postgres.core.database import Database
from adapters.system import StoreClock, SystemClock, SystemDice, SystemIds
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.telemetry import PrometheusTelemetry
from application.channel.known_channels import KnownChannels
from application.job.nudge import ProcessNudge
from application.kernel.supervision import Tasks
from application.outbox.handoff import ProcessHandoff
from config import secrets
from config.content import mailboxes
from config.settings import Settings

Single = providers.Singleton


class KernelRoom(containers.DeclarativeContainer):
    """`folder` is where embedded mode keeps its data; None: db.url and amqp.url are used."""

    settings = providers.Dependency(instance_of=Settings)
    folder: providers.Provider[Path | None] = providers.Object(None)
    embedded = providers.Callable(lambda folder: "no" if folder is None else "yes", folder)

    channels_known = Single(KnownChannels, settings.provided.accepting.channels)
    senders = Single(mailboxes, settings.provided.senders)

    machine = Single(SystemClock)
    clock = Single(StoreClock, machine)
    dice = Single(SystemDice)
    ids = Single(SystemIds, clock.provided.millis)
    process = Single(lambda: SystemIds().next())  # made before the database is heard
    telemetry = Single(PrometheusTelemetry, Single(Metrics, version("posthorn")))
    tasks = Single(Tasks, telemetry.provided.task_ended)
    handoff = Single(ProcessHandoff)
    nudge = Single(ProcessNudge)

    embedded_postgres = Single(EmbeddedPostgres, folder)
    database = Single(
        Database,
        providers.Selector(
            embedded,
            yes=embedded_postgres.provided.dsn,
            no=providers.Callable(secrets.dsn, settings),
        ),
        pool_size=settings.provided.db.pool,
        statement_max=settings.provided.db.statement_max,
        ssl=Single(secrets.tls, "db.tls", settings.provided.db.tls),
    )
