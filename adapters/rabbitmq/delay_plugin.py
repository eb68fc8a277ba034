"""Delays by the broker's plugin `rabbitmq_delayed_message_exchange`: for brokers up to 4.2 that have it.

A message for later goes to exchange `delay.plugin` of type `x-delayed-message`, which keeps it in a table and
passes it to `due` when its time has come, as the ladder's lowest level does.  What the plugin does not do:

- it keeps one copy, on one node, and is meant for a day or two: what waits for longer takes the ladder;
- a delay of more than 2³²-1 ms it lets go at once: as above;
- it routes nothing while a message waits, so `mandatory` would return every one: they go without.  A lane
  that is missing when the time has come is the business of `due`'s alternate exchange.
"""

import asyncio
from collections.abc import Sequence

from aiormq import ChannelNotFoundEntity, ChannelPreconditionFailed
from aiormq.exceptions import ConnectionCommandInvalid

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.delay_ladder import destination, route_by_delay, seconds_of
from adapters.rabbitmq.faults import as_broker_unavailable
from adapters.rabbitmq.publisher import ID_HEADER, ConfirmingPublisher, RoutedMessage
from application.broker.ports import Outgoing, Published
from domain.kernel.errors import BrokerUnavailable, Misconfigured

DELAYED = "delay.plugin"
DELAYED_TYPE = "x-delayed-message"
DELAYED_ARGUMENTS = {"x-delayed-type": "fanout"}
DELAY_HEADER = "x-delay"  # milliseconds; the plugin turns it negative when it lets go
SECONDS_MAX = 86_400
ASK_MAX = 5.0  # seconds
REFUSALS = (ChannelNotFoundEntity, ChannelPreconditionFailed, ConnectionCommandInvalid)
"""No such exchange, one of another kind, one whose type nobody knows any more."""


class DelayPluginPublisher:
    """Implements `DelayedPublisher`."""

    def __init__(self, connection: BrokerConnection) -> None:
        # A channel of its own: a missing exchange closes that one alone.
        self._confirmed = ConfirmingPublisher(connection)

    async def publish_later(self, messages: Sequence[Outgoing]) -> Published:
        """See `DelayedPublisher`.  A lane that is missing when the time has come: queue `delay.parked`.

        Raises:
            ValueError: to a queue that is no lane, or for later than the ladder holds.
        """
        return await self._confirmed.publish([_delayed(message) for message in messages])


async def require(connection: BrokerConnection) -> None:
    """Ask the broker whether its plugin for delays is enabled; return without an answer while it is away.

    Raises:
        Misconfigured: it is not, with what to do.
    """
    try:
        with as_broker_unavailable("no answer"):
            async with asyncio.timeout(ASK_MAX):
                channel = await connection.channel()
                await channel.exchange_declare(DELAYED, exchange_type=DELAYED_TYPE, passive=True)
                # It stands; only naming its type again tells that nobody has disabled the plugin since.
                await channel.exchange_declare(
                    DELAYED, exchange_type=DELAYED_TYPE, durable=True, arguments=DELAYED_ARGUMENTS
                )
                await channel.close()
    except BrokerUnavailable as fault:  # away, or it is not ours to declare there: nothing is known
        if isinstance(fault.__cause__, REFUSALS):
            raise Misconfigured(
                f"amqp.delays is plugin, and the broker says {fault}: "
                "enable rabbitmq_delayed_message_exchange and run `posthorn topology apply`, "
                "or set amqp.delays to ladder"
            ) from fault


def _delayed(message: Outgoing) -> RoutedMessage:
    seconds = seconds_of(message)
    if not 0 < seconds <= SECONDS_MAX:
        return route_by_delay(message)
    return RoutedMessage(
        id=message.id,
        exchange=DELAYED,
        key=destination(message.queue),
        body=message.body,
        headers={ID_HEADER: str(message.id), **message.headers, DELAY_HEADER: seconds * 1000},
        mandatory=False,
    )
