"""Turns what passes through the engine into rows of the feed and figures of the tally."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from application.delivery.ports import Settlement
from application.event.result import Done, Result
from application.kernel.ports import Clock
from application.notification.ports import Committed, Created, NewNotification
from application.provider.ports import OutboundMessage
from domain.delivery.delivery import DeliveryStatus
from domain.trigger.trigger import ShopEvent
from entrypoints.demo.feed import Feed, Row, Shown
from entrypoints.demo.shop import Shopper
from entrypoints.demo.tally import Tally

STRANGER = Shopper(None, "Somebody", "")
API = "POST /api/notifications"
_PUBLISHED_MAX = 2000


@dataclass(slots=True, kw_only=True)
class WatchedEvent:
    """An event of the plan on its way."""

    event: str
    shop_time: str
    who: Shopper
    at: float
    """Monotonic seconds."""


@dataclass(slots=True, kw_only=True)
class Watch:
    """Turns what passes into rows and figures."""

    feed: Feed
    tally: Tally
    clock: Clock
    users: dict[UUID, Shopper] = field(default_factory=dict)
    """Who is who: the ids of users tell nothing by themselves."""
    news: asyncio.Event = field(default_factory=asyncio.Event)
    """Set whenever a figure changes."""
    _published: OrderedDict[str, WatchedEvent] = field(default_factory=OrderedDict)
    """By trace id."""

    def publishing(self, trace_id: str, published: WatchedEvent) -> None:
        """An event goes out; what comes of it carries its trace id."""
        self._published[trace_id] = published
        while len(self._published) > _PUBLISHED_MAX:
            self._published.popitem(last=False)

    def accepted(self, notifications: Sequence[NewNotification], committed: Committed) -> None:
        """New deliveries."""
        now = self.clock.monotonic()
        for notification, result in zip(notifications, committed.results, strict=True):
            known = self._known(notification.traceparent)
            if not isinstance(result, Created):
                continue
            self.tally.accepted += known is not None
            for delivery in notification.deliveries:
                who = self.users.get(delivery.user, STRANGER)
                self.tally.born(delivery.id, known.at if known else now, ours=known is not None)
                self.feed.put(
                    Row(
                        id=str(delivery.id),
                        at=self.wall(),
                        shop_time=known.shop_time if known else "",
                        event=known.event if known else API,
                        what=notification.type,
                        who=who.name,
                        account=who.account,
                        channel=delivery.slot,
                        status="accepted",
                    )
                )

    def handled(self, event: ShopEvent, result: Result) -> None:
        """A repetition makes no notification: it gets a row of its own."""
        known = self._known(event.traceparent)
        if known is None or not isinstance(result, Done):
            return
        self.tally.handled += 1
        self.news.set()
        for _ in range(result.absorbed):
            self.tally.absorbed += 1
            self.feed.put(
                Row(
                    id=f"{event.id}-{self.tally.absorbed}",
                    at=self.wall(),
                    shop_time=known.shop_time,
                    event=known.event,
                    what="repetition",
                    who=known.who.name,
                    account=known.who.account,
                    channel="",
                    status="absorbed",
                )
            )

    def called(self, provider: str, message: OutboundMessage) -> None:
        """A provider took a message."""
        self.tally.taken(message.delivery, self.clock.monotonic())
        id_ = str(message.delivery)
        row = self.feed.rows.get(id_)
        if row is None:
            return
        row.provider = provider
        if message.channel != "email":
            row.mail = id_
            self.feed.show(
                Shown(
                    id=id_,
                    channel=message.channel,
                    provider=provider,
                    to=f"{row.who} <{message.address}>",
                    title=message.subject,
                    text=message.body,
                    link=message.parts.get("link"),
                )
            )

    def settled(self, settlement: Settlement) -> None:
        """A lease ended."""
        ms = self.tally.settled(settlement, self.clock.monotonic())
        self.news.set()
        row = self.feed.rows.get(str(settlement.delivery))
        if row is None:
            return
        row.status = "deferred" if settlement.status is DeliveryStatus.QUEUED else settlement.status.value
        row.attempts += settlement.outcome is not None
        row.reason, row.ms = settlement.reason, ms
        self.feed.put(row)

    def wall(self) -> str:
        """The time of day here, HH:MM:SS."""
        return self.clock.now().astimezone().strftime("%H:%M:%S")

    def _known(self, traceparent: str | None) -> WatchedEvent | None:
        return self._published.get(traceparent.split("-")[1]) if traceparent else None
