"""Plays a plan: publishes its events to the shop's exchange at their times."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from application.broker.ports import EventPublisher, OutgoingEvent
from application.kernel.ports import Clock, Ids
from entrypoints.demo import shop
from entrypoints.demo.day import Happening
from entrypoints.demo.watch import Watch, WatchedEvent
from entrypoints.engine.actor import pause

_LOW_64 = (1 << 64) - 1


@dataclass(slots=True, kw_only=True)
class Player:
    """Publishes as the shop's services would."""

    events: EventPublisher
    watch: Watch
    clock: Clock
    ids: Ids
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    async def play(self, happenings: Sequence[Happening], minute: float) -> None:
        """Publish in order; `minute` is how many seconds one of the shop's minutes takes here.

        Raises:
            BrokerUnavailable: the broker ended.
        """
        before: int | None = None
        for happening in happenings:
            now = _minutes(happening.at)
            if before is not None and now > before:
                await pause((now - before) * minute, self.stopping)
            before = now
            if self.stopping.is_set():
                return
            for _ in range(happening.copies):
                await self._publish(happening)

    async def _publish(self, happening: Happening) -> None:
        span = self.ids.next()
        self.watch.publishing(
            span.hex,
            WatchedEvent(
                event=happening.type,
                shop_time=happening.at,
                who=happening.who,
                at=self.clock.monotonic(),
            ),
        )
        self.watch.tally.published += 1
        traceparent = f"00-{span.hex}-{span.int & _LOW_64:016x}-00"
        await self.events.publish(_event(happening, self.clock.now(), traceparent))


def _event(happening: Happening, now: datetime, traceparent: str) -> OutgoingEvent:
    """As a CloudEvent in structured mode."""
    body = {
        "specversion": "1.0",
        "id": happening.id,
        "source": shop.SOURCE,
        "type": happening.type,
        "time": now.isoformat(),
        "traceparent": traceparent,
        "data": happening.data,
    }
    return OutgoingEvent(
        routing_key=happening.type,
        body=msgspec.json.encode(body),
        message_id=happening.id,
        content_type="application/cloudevents+json",
    )


def _minutes(at: str) -> int:
    hours, minutes = at.split(":")
    return int(hours) * 60 + int(minutes)
