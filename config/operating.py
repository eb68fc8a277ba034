"""The part of the composition root for what operators keep (keys, templates, triggers, channels) and look
after (dead letters, unknown outcomes, jobs).
"""

import os

from dependency_injector import containers, providers

from adapters.postgres.access.api_keys import PostgresApiKeys
from adapters.postgres.alert.alerts import PostgresAlerts
from adapters.postgres.attempt.unknown_attempts import PostgresUnknownAttempts
from adapters.postgres.dead_letter.reader import PostgresDeadLetterReader
from adapters.postgres.delivery.backlog import PostgresBacklog
from adapters.postgres.job.jobs import PostgresJobChunks, PostgresJobs
from adapters.postgres.outbox.overdue import PostgresOverdue
from application.access.authenticate import Authenticate
from application.access.create_key import CreateKey
from application.access.revoke_key import RevokeKey
from application.alert.dead_letters import TellOfLetters
from application.alert.lanes import TellOfLanes
from application.attempt.resolve import ResolveAttempt
from application.channel.drop_backlog import DropBacklog
from application.channel.save import SaveChannel
from application.dead_letter.compact_queue import CompactQueue
from application.job.advance import AdvanceJob
from application.job.cancel import CancelJob
from application.job.start import StartJob
from application.outbox.chase import ChaseOverdue
from application.template.activate import ActivateTemplate
from application.template.find import FindTemplate
from application.template.save import SaveTemplate
from application.trigger.save import SaveTrigger
from config import secrets
from config.hooks import operators_hook
from config.settings import Settings

Single = providers.Singleton
ENTROPY_BYTES = 32


class Operating(containers.DeclarativeContainer):
    """What it depends on is the container's; `nudge` is the jobs actor of the process."""

    settings = providers.Dependency(instance_of=Settings)
    clock = providers.Dependency()
    ids = providers.Dependency()
    process = providers.Dependency()
    database = providers.Dependency()
    handoff = providers.Dependency()
    consumer = providers.Dependency()
    sizes = providers.Dependency()
    nudge = providers.Dependency()
    templates = providers.Dependency()
    cached = providers.Dependency()
    renderer = providers.Dependency()
    triggers = providers.Dependency()
    channels = providers.Dependency()
    channels_known = providers.Dependency()
    open_channels = providers.Dependency()
    gateways = providers.Dependency()

    pepper = Single(secrets.pepper, settings)
    api_keys = Single(PostgresApiKeys, database=database)
    authenticate = Single(Authenticate, keys=api_keys, clock=clock, pepper=pepper)
    create_key = Single(
        CreateKey,
        keys=api_keys,
        clock=clock,
        ids=ids,
        pepper=pepper,
        entropy=providers.Object(lambda: os.urandom(ENTROPY_BYTES)),
    )
    revoke_key = Single(RevokeKey, keys=api_keys, clock=clock)
    save_template = Single(
        SaveTemplate, templates=templates, cached=cached, renderer=renderer, channels=channels_known
    )
    activate_template = Single(ActivateTemplate, templates=templates, cached=cached)
    find_template = Single(FindTemplate, templates=templates)
    save_trigger = Single(SaveTrigger, triggers=triggers, templates=templates)
    save_channel = Single(SaveChannel, channels=channels, gateways=gateways, open=open_channels)

    letters = Single(PostgresDeadLetterReader, database=database)
    unknown = Single(PostgresUnknownAttempts, database=database, process=process, ids=ids)
    jobs = Single(PostgresJobs, database=database)
    job_chunks = Single(PostgresJobChunks, database=database, process=process, ids=ids)

    start_job = Single(StartJob, jobs=jobs, nudge=nudge, ids=ids)
    advance_job = Single(AdvanceJob, chunks=job_chunks, handoff=handoff)
    cancel_job = Single(CancelJob, jobs=jobs)
    drop_backlog = Single(
        DropBacklog,
        channels=channels,
        backlog=Single(PostgresBacklog, database=database),
        start_job=start_job,
    )
    resolve_attempt = Single(ResolveAttempt, unknown=unknown, handoff=handoff)
    compact_queue = Single(CompactQueue, consumer=consumer, sizes=sizes, letters=letters)
    tell_of_letters = Single(
        TellOfLetters,
        alerts=Single(PostgresAlerts, database=database),
        hook=Single(operators_hook, settings, clock),
        clock=clock,
        quiet=settings.provided.alerts.every,
    )
    overdue = Single(PostgresOverdue, database=database, process=process, ids=ids)
    chase_overdue = Single(ChaseOverdue, overdue=overdue, sizes=sizes, channels=channels, handoff=handoff)
    tell_of_lanes = Single(
        TellOfLanes,
        overdue=overdue,
        hook=Single(operators_hook, settings, clock),
        clock=clock,
        longest=settings.provided.alerts.waiting_max,
    )
