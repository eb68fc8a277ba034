"""Messages that the broker gave up by itself, because it had delivered them too often.

Each delivery in it becomes a dead letter as any other: a row, an alert, and a pointer in its lane's `.dlq`.
What cannot be read is put there as it came, with its reason.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from application.broker.ports import Publisher, Received, Subscription
from application.dead_letter.give_up import GiveUpDeliveries
from application.kernel.ports import Ids
from application.outbox.pointers import Pointer, decode
from domain.kernel.channel import Lane
from domain.kernel.errors import Undecodable
from entrypoints.amqp.parking import parked
from entrypoints.engine.consumer.disposition import Ack, Disposition, disposition
from entrypoints.engine.consumer.finish import Ended, Worked, finish
from entrypoints.engine.telemetry import Telemetry

REASON = "the broker gave its message up: it was delivered too often"
_LOST = "delay.parked"
"""For messages that come from no lane."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnedBatches:
    """Works on batches of messages that the broker gave up."""

    give_up: GiveUpDeliveries
    publisher: Publisher
    ids: Ids
    telemetry: Telemetry

    async def work(self, queue: str, subscription: Subscription, messages: Sequence[Received]) -> Worked:
        """Give up and ack; what cannot be read goes to its lane's dead-letter queue as it is.

        Raises:
            BrokerUnavailable: an ack was lost: these come again, and are stale then.
        """
        judged = await self._judged(messages)
        counts: Counter[str] = Counter()

        async def ack(ended: Ended[Received]) -> None:
            await subscription.ack([message.tag for message, _ in ended])
            counts.update(each.label for _, each in ended)

        left = await finish(
            judged,
            publisher=self.publisher,
            ack=ack,
            park=lambda message, park: parked(message, queue, park.reason, to=_dead(message), ids=self.ids),
            report=lambda message, park: self.telemetry.trouble(
                "message.dead_lettered", lane=_dead(message), reason=park.hint, exc_info=park.crash
            ),
        )
        return Worked(left=left, counts=counts)

    async def _judged(self, messages: Sequence[Received]) -> list[tuple[Received, Disposition]]:
        judged: list[tuple[Received, Disposition]] = []
        readable: dict[Lane, list[tuple[Received, list[Pointer]]]] = defaultdict(list)
        for message in messages:
            try:
                readable[_lane(message)].append((message, decode(message.body)))
            except (Undecodable, ValueError) as fault:
                judged.append((message, disposition(Undecodable(str(fault)))))
        for lane, theirs in readable.items():
            end = await self._given_up(lane, [pointer for _, pointers in theirs for pointer in pointers])
            judged += [(message, end) for message, _ in theirs]
        return judged

    async def _given_up(self, lane: Lane, pointers: Sequence[Pointer]) -> Disposition:
        try:
            given_up = await self.give_up.many(lane, pointers, REASON)
        except Exception as fault:  # noqa: BLE001  away, or ours: the disposition says
            return disposition(fault)
        self.telemetry.trouble(
            "messages.returned", lane=lane.queue, pointers=len(pointers), dead_letters=given_up
        )
        return Ack("dead_lettered")


def _lane(message: Received) -> Lane:
    """The lane in which the broker gave it up.

    Raises:
        ValueError: it comes from no lane.
    """
    return Lane.parse(str(message.headers.get("x-first-death-queue")))


def _dead(message: Received) -> str:
    try:
        return _lane(message).dead
    except ValueError:
        return _LOST
