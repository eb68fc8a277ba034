"""The product's composition root with its rows in memory: what tests and the simulation run on."""

from collections.abc import Callable
from typing import Any

from dependency_injector.providers import Provider, Singleton

from adapters.rendering.bounded import BoundedRenderer
from adapters.system import SystemIds
from config.container import Container
from config.settings import Settings
from tests.support.memory.acceptance import MemoryAcceptance
from tests.support.memory.alerts import MemoryAlerts
from tests.support.memory.backlog import MemoryBacklog
from tests.support.memory.cancelling import MemoryCancelling
from tests.support.memory.catalog import (
    MemoryApiKeys,
    MemoryChannels,
    MemoryDescribedProviders,
    MemoryForcedProviders,
    MemoryNotificationTypes,
    MemoryTriggers,
)
from tests.support.memory.clearances import MemoryClearances
from tests.support.memory.dead_letter_reader import MemoryDeadLetterReader
from tests.support.memory.dead_letters import MemoryDeadLetters
from tests.support.memory.deliveries import MemoryDeliveries
from tests.support.memory.devices import MemoryDevices
from tests.support.memory.intake_ids import MemoryIntakeIds
from tests.support.memory.jobs import MemoryJobChunks, MemoryJobs
from tests.support.memory.open_calls import MemoryOpenCalls
from tests.support.memory.outbox import MemoryOutbox
from tests.support.memory.overdue import MemoryOverdue
from tests.support.memory.reader import MemoryReader
from tests.support.memory.recovery import MemoryRecovery
from tests.support.memory.renewals import MemoryRenewals
from tests.support.memory.rows import MemoryRows
from tests.support.memory.templates import MemoryTemplates
from tests.support.memory.unknown_attempts import MemoryUnknownAttempts
from tests.support.memory.users import MemoryUsers

Wrap = Callable[[Any], Any]


def in_memory(
    rows: MemoryRows, settings: Settings | None = None, *, wrap: Wrap = lambda store: store
) -> Container:
    """A container whose stores share these rows; templates are rendered in this process.

    Its clock is that of the rows.  Tests override further providers (process, vault, gateways, broker …).

    Args:
        wrap: makes of each store what use cases are given: the simulation loses its answers, for example.
    """
    container = Container(settings=settings or Settings())
    of_all: dict[str, Any] = {"rows": rows}
    of_process = of_all | {"process": container.kernel.process}
    with_ids = of_process | {"ids": container.kernel.ids}
    stores: list[tuple[Provider[Any], type, dict[str, Any]]] = [
        (container.access.api_keys, MemoryApiKeys, of_all),
        (container.alert.alerts, MemoryAlerts, of_all),
        (container.attempt.unknown, MemoryUnknownAttempts, with_ids),
        (container.channel.backlog, MemoryBacklog, of_all),
        (container.channel.channels, MemoryChannels, of_all),
        (container.dead_letter.dead_letters, MemoryDeadLetters, with_ids),
        (container.dead_letter.reader, MemoryDeadLetterReader, of_all),
        (container.delivery.clearances, MemoryClearances, of_all),
        (container.delivery.deliveries, MemoryDeliveries, with_ids),
        (container.delivery.open_calls, MemoryOpenCalls, of_all),
        (container.delivery.renewals, MemoryRenewals, of_all),
        (container.device.devices, MemoryDevices, of_all),
        (container.job.chunks, MemoryJobChunks, with_ids),
        (container.job.jobs, MemoryJobs, of_all),
        (container.notification.acceptance, MemoryAcceptance, of_process),
        (container.notification.cancelling, MemoryCancelling, of_all),
        (container.notification.intake_ids, MemoryIntakeIds, of_all),
        (container.notification.reader, MemoryReader, of_all),
        (container.notification_type.types, MemoryNotificationTypes, of_all),
        (container.outbox.overdue, MemoryOverdue, with_ids),
        (container.outbox.rows, MemoryOutbox, of_process),
        (container.provider.described, MemoryDescribedProviders, of_all),
        (container.provider.forced, MemoryForcedProviders, of_all),
        (container.recovery.recovery, MemoryRecovery, with_ids),
        (container.template.templates, MemoryTemplates, of_all),
        (container.trigger.triggers, MemoryTriggers, of_all),
        (container.user.users, MemoryUsers, of_all),
    ]
    for port, kind, given in stores:
        port.override(Singleton(wrap, Singleton(kind, **given)))
    container.kernel.clock.override(rows.clock)
    container.kernel.ids.override(SystemIds())
    container.template.renderer.override(BoundedRenderer())
    return container
