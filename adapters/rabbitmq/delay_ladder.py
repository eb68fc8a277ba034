"""The delay ladder: a delayed message passes through queues whose TTLs are the bits of its delay.

Level n is queue `delay.NN` with a TTL of 2ⁿ s; the routing key `email.critical.1.0.1` (least significant bit
first, as many bits as the delay has) sends it into the queues of the set bits.  It enters at the highest.
"""

import math
from collections.abc import Sequence
from datetime import timedelta

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.publisher import ConfirmingPublisher, RoutedMessage, routed
from application.broker.ports import Outgoing, Published
from domain.kernel.channel import Lane

LEVELS = 28
DELAY_MAX = timedelta(seconds=2**LEVELS - 1)
"""Eight and a half years."""


def exchange_of(level: int) -> str:
    """Name of a level's exchange, and of its queue."""
    return f"delay.{level:02}"


def destination(queue: str) -> str:
    """The two words that name a lane to exchange `due`.

    Raises:
        ValueError: not a lane; nothing else can be reached by the ladder.
    """
    lane = Lane.parse(queue)
    return f"{lane.channel}.{lane.word}"


class DelayLadderPublisher:
    """Implements `DelayedPublisher`."""

    def __init__(self, connection: BrokerConnection) -> None:
        self._confirmed = ConfirmingPublisher(
            connection
        )  # its own channel: a missing ladder closes that one alone

    async def publish_later(self, messages: Sequence[Outgoing]) -> Published:
        """See `DelayedPublisher`.  A lane that is missing when the time has come: queue `delay.parked`.

        Raises:
            ValueError: to a queue that is no lane, or for later than `DELAY_MAX`.
        """
        return await self._confirmed.publish([route_by_delay(message) for message in messages])


def seconds_of(message: Outgoing) -> int:
    """Its delay in whole seconds, rounded up; 0 or less: it does not wait."""
    return math.ceil((message.delay or timedelta()) / timedelta(seconds=1))


def route_by_delay(message: Outgoing) -> RoutedMessage:
    """The message for the ladder, or for its queue when it need not wait.

    Raises:
        ValueError: as `publish_later`.
    """
    seconds = seconds_of(message)
    if seconds <= 0:
        return routed(message, "", message.queue)
    if seconds.bit_length() > LEVELS:
        raise ValueError(f"a delay of {seconds} s; the ladder holds at most {DELAY_MAX}")
    bits = f"{seconds:b}"[::-1]
    key = ".".join((destination(message.queue), *bits))
    return routed(message, exchange_of(len(bits) - 1), key)
