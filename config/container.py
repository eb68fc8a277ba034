"""The composition root: which adapter stands behind which port, and who is given what.  It opens nothing.

What operators keep and look after stands in `config.operating`, what works lanes off in `config.delivering`.

`embedded` chooses the in-process broker.  `dsn` and `handoff` come from outside: the one is known when the
database runs, the other is the relay actor of the process.
"""

from importlib.metadata import version

from dependency_injector import containers, providers

from adapters.addresses.addresses import LocalAddresses
from adapters.memory.broker import MemoryBroker, MemoryEvents
from adapters.postgres.channel.channels import PostgresChannels
from adapters.postgres.core.database import Database
from adapters.postgres.dead_letter.dead_letters import PostgresDeadLetters
from adapters.postgres.delivery.deliveries import PostgresDeliveries
from adapters.postgres.intake.promises import PostgresPromises
from adapters.postgres.notification.acceptance import PostgresAcceptance
from adapters.postgres.notification.cancelling import PostgresCancelling
from adapters.postgres.notification.reader import PostgresReader
from adapters.postgres.outbox.rows import PostgresOutbox
from adapters.postgres.recovery.reissue import PostgresRecovery
from adapters.postgres.template.templates import PostgresTemplates
from adapters.postgres.trigger.triggers import PostgresTriggers
from adapters.postgres.user.people import PostgresPeople
from adapters.rabbitmq.consumer import RabbitConsumer
from adapters.rabbitmq.delay_ladder import LadderPublisher
from adapters.rabbitmq.delay_plugin import PluginPublisher
from adapters.rabbitmq.event_publisher import RabbitEvents
from adapters.rabbitmq.publisher import RabbitPublisher
from adapters.rabbitmq.queue_sizes import RabbitSizes
from adapters.rabbitmq.topology import SHOP_EVENTS, definitions
from adapters.rendering.bounded import BoundedRenderer
from adapters.rendering.pool import RenderingPool
from adapters.system import StoreClock, SystemClock, SystemDice, SystemIds
from adapters.telemetry.metered import MeteredAcceptance, MeteredDeliveries, MeteredGateways, MeteredPublisher
from adapters.telemetry.metrics import Metrics
from adapters.telemetry.telemetry import Telemetry
from application.delivery.page import ListDeliveries
from application.event.handle import HandleEvents
from application.event.install_catalog import InstallCatalog
from application.event.trigger_index import TriggerIndex
from application.intake.absence import Absence
from application.intake.defer import DeferNotifications
from application.intake.drain import DrainIntake
from application.intake.submit_or_defer import SubmitOrDefer
from application.kernel.caching import CachedTemplates, OpenChannels
from application.kernel.supervision import Tasks
from application.notification.cancel import CancelNotification
from application.notification.find import FindNotification
from application.notification.group_commit import GroupCommit
from application.notification.history import ListHistory
from application.notification.packing import Pack
from application.notification.page import ListNotifications
from application.notification.prepare import Prepare
from application.notification.preview import PreviewNotification
from application.notification.seal import Seal
from application.notification.submit import SubmitNotification
from application.outbox.relay import RelayOutbox
from application.user.erase import ErasePeople
from application.user.find import FindUser
from application.user.mirror import MirrorPeople
from application.user.page import ListUsers
from config import secrets
from config.delivering import Delivering
from config.gateways import build as build_gateways
from config.keys import Keys
from config.links import link
from config.operating import Operating
from config.settings import Settings

Single = providers.Singleton


class Container(containers.DeclarativeContainer):
    """Everything a process may need; what it does not ask for is not made."""

    settings = providers.Dependency(instance_of=Settings)
    embedded = providers.Object("no")
    dsn = providers.Dependency(instance_of=str)
    handoff = providers.Dependency()
    channels_known = providers.Callable(lambda settings: frozenset(settings.accepting.channels), settings)

    machine = Single(SystemClock)
    clock = Single(StoreClock, machine)
    dice = Single(SystemDice)
    ids = Single(SystemIds, clock.provided.millis)
    process = Single(lambda: SystemIds().next())  # made before the database is heard
    telemetry = Single(Telemetry, Single(Metrics, version("posthorn")))
    tasks = Single(Tasks, telemetry.provided.task_ended)

    cursor_key = Single(secrets.cursor_key, settings)
    addresses = Single(LocalAddresses)
    rendering_pool = Single(RenderingPool, telemetry.provided.trouble)
    renderer = Single(BoundedRenderer, rendering_pool)

    database = Single(
        Database,
        dsn,
        pool_size=settings.provided.db.pool,
        statement_max=settings.provided.db.statement_max,
        ssl=Single(secrets.tls, "db.tls", settings.provided.db.tls),
    )
    keys = providers.Container(Keys, settings=settings, database=database)
    vault = keys.vault
    outbox = Single(PostgresOutbox, database=database, process=process)
    deliveries = Single(
        MeteredDeliveries,
        deliveries=Single(PostgresDeliveries, database=database, process=process, ids=ids),
        telemetry=telemetry,
    )
    dead_letters = Single(PostgresDeadLetters, database=database, process=process, ids=ids)
    recovery = Single(PostgresRecovery, database=database, process=process, ids=ids)
    people = Single(PostgresPeople, database=database)
    reader = Single(PostgresReader, database=database)
    promises = Single(PostgresPromises, database=database)
    cancelling = Single(PostgresCancelling, database=database)
    templates = Single(PostgresTemplates, database=database)
    triggers = Single(PostgresTriggers, database=database)
    channels = Single(PostgresChannels, database=database)
    acceptance = Single(
        MeteredAcceptance,
        acceptance=Single(PostgresAcceptance, database=database, process=process),
        telemetry=telemetry,
        clock=clock,
    )

    topology = Single(definitions, channels=settings.provided.accepting.channels)
    memory_broker = Single(MemoryBroker, topology, clock)
    publishing = Single(link, settings, "publisher", tasks)
    consuming = Single(link, settings, "consumer", tasks)
    broker_publisher = providers.Selector(embedded, yes=memory_broker, no=Single(RabbitPublisher, publishing))
    publisher = Single(MeteredPublisher, publisher=broker_publisher, telemetry=telemetry, clock=clock)
    broker_delays = providers.Selector(
        settings.provided.amqp.delays,
        ladder=Single(LadderPublisher, publishing),
        plugin=Single(PluginPublisher, publishing),
    )
    delayed = providers.Selector(embedded, yes=memory_broker, no=broker_delays)
    consumer = providers.Selector(embedded, yes=memory_broker, no=Single(RabbitConsumer, consuming))
    sizes = providers.Selector(embedded, yes=memory_broker, no=Single(RabbitSizes, consuming))
    shop_events = providers.Selector(
        embedded,
        yes=Single(MemoryEvents, memory_broker, SHOP_EVENTS),
        no=Single(RabbitEvents, publishing, SHOP_EVENTS),
    )
    providers_built = Single(build_gateways, settings, clock, dice)
    gateways = Single(MeteredGateways, providers_built, telemetry, clock)

    cached = Single(CachedTemplates, templates=templates, clock=clock)
    open_channels = Single(OpenChannels, channels=channels, clock=clock)
    prepare = Single(
        Prepare,
        templates=cached,
        addresses=addresses,
        vault=vault,
        ids=ids,
        channels=channels_known,
        open=open_channels,
    )
    commit = Single(
        GroupCommit,
        acceptance=acceptance,
        seal=Single(Seal, vault=vault),
        pack=Single(Pack, ids=ids, handoff=handoff, backlog=settings.provided.accepting.pack_from),
        handoff=handoff,
        rows_max=settings.provided.accepting.rows_max,
        queue_max=settings.provided.accepting.queue_max,
        committers=settings.provided.accepting.committers,
    )
    submit = Single(SubmitNotification, prepare=prepare, commit=commit)
    submit_or_defer = Single(
        SubmitOrDefer,
        prepare=prepare,
        commit=commit,
        defer=Single(DeferNotifications, publisher=publisher, key=vault),
        absence=Single(Absence, clock=clock, silent=database.provided.silent),
    )
    accept = providers.Selector(embedded, yes=submit, no=submit_or_defer)
    drain = Single(DrainIntake, key=vault, prepare=prepare, commit=commit, promises=promises)
    cancel = Single(CancelNotification, cancelling=cancelling, promises=promises)
    relay = Single(RelayOutbox, outbox=outbox, publisher=publisher, delayed=delayed, clock=clock)

    policies = providers.Callable(lambda settings: settings.policies.by_class(), settings)
    preview = Single(
        PreviewNotification,
        prepare=prepare,
        people=people,
        channels=channels,
        vault=vault,
        renderer=renderer,
        policies=policies,
        clock=clock,
    )
    delivering = providers.Container(
        Delivering,
        settings=settings,
        clock=clock,
        dice=dice,
        database=database,
        deliveries=deliveries,
        dead_letters=dead_letters,
        vault=vault,
        key_state=keys.state,
        gateways=gateways,
        handoff=handoff,
        policies=policies,
        renderer=renderer,
        cached=cached,
        channels=channels,
        telemetry=telemetry,
        process=process,
    )
    erase_people = Single(ErasePeople, people=people, vault=vault, addresses=addresses)
    mirror = Single(MirrorPeople, people=people, vault=vault, addresses=addresses, clock=clock)
    handle_events = Single(
        HandleEvents,
        triggers=Single(TriggerIndex, triggers=triggers, clock=clock),
        mirror=mirror,
        submit=submit.provided.many,
    )
    install_catalog = Single(InstallCatalog, templates=templates, triggers=triggers)

    find_notification = Single(FindNotification, reader=reader, promises=promises)
    list_notifications = Single(ListNotifications, reader=reader, vault=vault)
    list_deliveries = Single(ListDeliveries, reader=reader, promises=promises, vault=vault)
    list_history = Single(ListHistory, reader=reader, promises=promises)
    find_user = Single(FindUser, people=people, vault=vault)
    list_users = Single(ListUsers, people=people, vault=vault, addresses=addresses)
    operating = providers.Container(
        Operating,
        settings=settings,
        clock=clock,
        ids=ids,
        process=process,
        database=database,
        handoff=handoff,
        consumer=consumer,
        sizes=sizes,
        templates=templates,
        cached=cached,
        renderer=renderer,
        triggers=triggers,
        channels=channels,
        channels_known=channels_known,
        open_channels=open_channels,
        gateways=gateways,
    )
