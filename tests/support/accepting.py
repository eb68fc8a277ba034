"""Notifications ready to be committed, without sealing: for tests and benchmarks of the rows themselves."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid4

from adapters.system import SystemIds
from application.notification.ports import NewDelivery, NewNotification, NewUser
from application.outbox.pointers import Pointer, encode, packed
from application.outbox.ports import OutboxMessage
from domain.kernel.channel import Lane, Mode, NotificationClass, Priority
from domain.kernel.ids import delivery_id, time_of
from domain.notification.routing import ChannelRoute, Routing

IDS = SystemIds()
EMAIL = Lane("email", Priority.MEDIUM)


def user(**changes: Any) -> NewUser:
    """A customer under a key of their own."""
    known = {"id": uuid4(), "guest": False, "data_key": uuid4().bytes, "profile": None} | changes
    return NewUser(**known)


def notification(*users: NewUser, **changes: Any) -> NewNotification:
    """A notification for these users, one delivery each."""
    id_: UUID = changes.pop("id", None) or IDS.next()
    lane = changes.get("lane", EMAIL)
    fields: dict[str, Any] = {
        "id": id_,
        "mode": Mode.LIVE,
        "type": "order_created",
        "klass": NotificationClass.TRANSACTIONAL,
        "lane": lane,
        "template_id": "order-created",
        "template_version": 1,
        "content": b"sealed" * 30,
        "metadata": None,
        "created_by": "shop",
        "created_at": time_of(id_),
        "deliveries": tuple(
            NewDelivery(
                id=delivery_id(id_, p.id, lane.channel), user=p.id, slot=lane.channel, content_key=b"k" * 60
            )
            for p in users
        ),
        "key": None,
        "fingerprint": b"f" * 16,
    }
    return NewNotification(**(fields | changes))


def several(*users: NewUser, routing: Routing, channels: Sequence[str], **changes: Any) -> NewNotification:
    """A notification for these users on several channels; each has a template of its own."""
    id_ = IDS.next()
    first = routing is Routing.FIRST
    deliveries = tuple(
        NewDelivery(
            id=delivery_id(id_, p.id, channel),
            user=p.id,
            slot=channel,
            content_key=b"k" * 60,
            channel=channel,
            rank=n if first else None,
        )
        for p in users
        for n, channel in enumerate(channels, start=1)
    )
    routes = tuple(ChannelRoute(channel=channel, template=f"on-{channel}", version=3) for channel in channels)
    given = {"lane": Lane(channels[0], Priority.HIGH), "routing": routing, "routes": routes} | changes
    return notification(*users, id=id_, deliveries=deliveries, **given)


def pack(notifications: Sequence[NewNotification]) -> list[OutboxMessage]:
    """One message per notification and hundred deliveries."""
    return [
        OutboxMessage(id=IDS.next(), queue=lane.queue, body=encode(chunk), priority=lane.priority)
        for n in notifications
        for lane in sorted({n.lane_of(delivery) for delivery in n.deliveries})
        for chunk in packed(
            [Pointer(d.id, 1) for d in n.deliveries if n.lane_of(d) == lane and not d.standby]
        )
    ]


def pointers(*notifications: NewNotification, seq: int = 1) -> list[Pointer]:
    """To all their deliveries."""
    return [Pointer(delivery.id, seq) for n in notifications for delivery in n.deliveries]
