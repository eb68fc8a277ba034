"""How many pointers share a message: those of one notification always, strangers when there is a backlog."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from application.kernel.ports import Ids
from application.notification.ports import NewNotification
from application.outbox.pointers import Pointer, encode, packed
from application.outbox.ports import Handoff, OutboxMessage
from domain.kernel.channel import Lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """Makes the outbox messages of accepted notifications."""

    ids: Ids
    handoff: Handoff
    backlog: int
    """Messages waiting in the relay, those of this commit included, from which on strangers share one."""

    def __call__(self, notifications: Sequence[NewNotification]) -> list[OutboxMessage]:
        """Messages for newborn deliveries (seq 1)."""
        together = self.handoff.waiting + len(notifications) >= self.backlog
        shared: dict[Lane, list[Pointer]] = defaultdict(list)
        messages = []
        for notification in notifications:
            headers = {"traceparent": notification.traceparent} if notification.traceparent else {}
            for lane, pointers in _pointers(notification).items():
                if together:
                    shared[lane] += pointers
                else:
                    messages += self._messages(lane, pointers, headers)
        for lane, pointers in shared.items():
            messages += self._messages(lane, pointers, {})
        return messages

    def _messages(self, lane: Lane, pointers: list[Pointer], headers: dict[str, str]) -> list[OutboxMessage]:
        return [
            OutboxMessage(
                id=self.ids.next(),
                queue=lane.queue,
                body=encode(chunk),
                priority=lane.urgency,
                headers=headers,
            )
            for chunk in packed(pointers)
        ]


def _pointers(notification: NewNotification) -> dict[Lane, list[Pointer]]:
    """By lane; what stands by has none."""
    if not notification.routes:
        return {notification.lane: [Pointer(delivery.id, 1) for delivery in notification.deliveries]}
    by_lane: dict[Lane, list[Pointer]] = {}
    for delivery in notification.deliveries:
        if not delivery.standby:
            by_lane.setdefault(notification.lane_of(delivery), []).append(Pointer(delivery.id, 1))
    return by_lane
