"""Checks by AMQP that queues and exchanges exist; makes them where a management API is configured."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence

from aiormq.exceptions import ChannelNotFoundEntity

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.faults import as_broker_unavailable
from adapters.rabbitmq.management_api import ManagementApi
from application.channel.ports import ChannelQueues
from domain.kernel.errors import BrokerUnavailable, Misconfigured
from domain.kernel.json_values import Json

CHECK_MAX = 20.0
"""Seconds for some hundred questions, one after the other."""


class RabbitTopology:
    """Implements `Topology`."""

    def __init__(
        self,
        connection: BrokerConnection,
        described: Mapping[str, Sequence[Mapping[str, Json]]],
        management: Callable[[], ManagementApi] | None,
        *,
        made: Callable[[], Awaitable[Collection[str]]] | None = None,
        queues: ChannelQueues | None = None,
    ) -> None:
        """
        Args:
            made: the channels that the API has made, which the description does not have.
            queues: makes theirs.
        """
        self._connection = connection
        self._described = described
        self._management = management
        self._made, self._queues = made, queues

    async def lay_out(self) -> str | None:
        """See `Topology`.  Without a management API bindings and policies are not checked."""
        trouble = ""
        if self._management is not None:
            try:
                async with self._management() as management:
                    await management.apply(dict(self._described))  # type: ignore[arg-type]
            except (BrokerUnavailable, Misconfigured) as fault:
                trouble = f"; {fault}"
        missing = await self._missing()
        if missing:
            return f"{missing} is missing{trouble}"
        if self._made is not None and self._queues is not None:
            await asyncio.gather(*map(self._queues.make, sorted(await self._made())))
        return None

    async def _missing(self) -> str | None:
        """The first queue or exchange that does not exist."""
        looked_at = "nothing"
        with as_broker_unavailable("no answer about the topology"):
            async with asyncio.timeout(CHECK_MAX):
                channel = await self._connection.channel()
                try:
                    for queue in self._described["queues"]:
                        looked_at = f"queue {queue['name']}"
                        await channel.queue_declare(queue["name"], passive=True)
                    for exchange in self._described["exchanges"]:
                        looked_at = f"exchange {exchange['name']}"
                        await channel.exchange_declare(exchange["name"], passive=True)
                except ChannelNotFoundEntity:
                    return looked_at
                finally:
                    self._connection.retire(channel, "looked")
        return None
