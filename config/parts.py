"""What a running process stands on: database, broker, partitions, and how each of them is."""

import asyncio
from dataclasses import dataclass, field

from adapters.postgres.core.database import Database
from adapters.postgres.core.processes import Presence
from adapters.postgres.dead_letter.dead_letters import open_count
from adapters.postgres.job.jobs import unfinished_count
from adapters.postgres.notification.retention import prune_keys
from adapters.rabbitmq.connection import BrokerConnection
from config.container import Container
from config.partitions import Partitions
from config.store_probe import StoreProbe
from domain.kernel.errors import StoreUnavailable

PING_MAX = 2.0
"""Seconds to wait for the database."""


@dataclass(slots=True, kw_only=True)
class Parts:
    """The opened parts of a running process, and the state of each for readiness and metrics."""

    container: Container
    database: Database
    presence: Presence | None = None
    connections: list[BrokerConnection] = field(default_factory=list)
    store: StoreProbe = field(init=False)
    partitions: Partitions = field(init=False)

    def __post_init__(self) -> None:
        self.store = StoreProbe(database=self.database, clock=self.container.kernel.clock())
        self.partitions = Partitions(database=self.database, telemetry=self.container.kernel.telemetry())

    async def reach_store(self) -> None:
        """Return when the database answers.

        Raises:
            StoreUnavailable: it does not, within `PING_MAX`.
        """
        try:
            async with asyncio.timeout(PING_MAX):
                await self.database.fetch("SELECT 1")
        except TimeoutError:
            raise StoreUnavailable("PostgreSQL: no answer") from None

    def broker(self) -> str:
        """`ok`, or what is wrong with the broker: it cannot be reached, or it blocks publishers."""
        for connection in self.connections:
            if connection.trouble:
                return connection.trouble
            if connection.blocked:
                return f"blocks publishers: {connection.blocked}"
        return "ok"

    def unpublished(self) -> float:
        """Seconds for which the publishing connection has been down; 0 when it is up."""
        return self.connections[0].away if self.connections else 0.0

    def seen(self) -> bool:
        """Whether other processes see this one alive, or it lets them adopt its outbox rows on purpose."""
        return self.presence is None or self.presence.held or self.presence.stands_down

    async def figures(self) -> None:
        """Read into the metrics: the outbox's backlog, dead letters, held attempts and unfinished jobs.

        Raises:
            StoreUnavailable: nothing is changed; call it again later.
        """
        backlog = await self.container.outbox.rows().backlog()
        telemetry = self.container.kernel.telemetry()
        telemetry.backlog(backlog.pending, backlog.oldest_age)
        telemetry.dead_letters(await open_count(self.database))
        telemetry.held(await self.container.attempt.unknown().held())
        telemetry.jobs(await unfinished_count(self.database))

    async def prune(self) -> None:
        """Delete idempotency keys older than they are kept.

        Raises:
            StoreUnavailable: nothing is changed; call it again later.
        """
        await prune_keys(self.database)

    async def forget_dead(self) -> None:
        """Delete the rows of processes that ended long ago.

        Raises:
            StoreUnavailable: nothing is changed; call it again later.
        """
        if self.presence is not None:
            await self.presence.forget_dead()
