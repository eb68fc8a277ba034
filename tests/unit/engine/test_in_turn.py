"""Channels that take turns: who cannot be reached on one is tried on the next, in time."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from application.channel.ports import Channel
from application.kernel.versioned import Versioned
from application.notification.ports import NewDelivery
from application.outbox.pointers import Pointer, encode
from application.privacy.sealing import seal_content, seal_profile, wrap_content_key
from application.provider.ports import OutboundMessage
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, NotificationClass, Priority
from domain.kernel.ids import delivery_id
from domain.notification.request import Content, Profile
from domain.notification.routing import ChannelRoute, Routing
from domain.provider.outcome import Accepted, Deferred, Outcome
from entrypoints.engine.lane.actor import LaneActor
from tests.support.accepting import notification, user
from tests.support.eventually import eventually
from tests.support.virtual_time import passing
from tests.unit.engine.harness import CLOCK, IDS, World

S = DeliveryStatus
PUSH = Lane("push", Priority.MEDIUM)
DOWN = Deferred("503")


class TurnsWorld(World):
    """Push first, then e-mail; each channel has a lane that runs."""

    def __init__(self) -> None:
        super().__init__()
        self.rows.channels["push"] = Versioned(Channel(channel="push", providers=("fcm",)), 1, CLOCK.now())
        self.push_lane = LaneActor(lane=PUSH, services=self.engine)

    async def ask(self, profile: Profile, *, klass: NotificationClass) -> dict[str, UUID]:
        """The deliveries of one user, by channel; the first one's pointer is on its lane."""
        key, content_key, who, id_ = self.vault.create(), self.vault.create(), user(), IDS.next()
        sealed = seal_profile(key, who.id, profile)
        who = user(id=who.id, data_key=self.vault.wrap(key, who.id), profile=sealed)
        ids = {channel: delivery_id(id_, who.id, channel) for channel in ("push", "email")}
        deliveries = tuple(
            NewDelivery(
                id=each,
                user=who.id,
                slot=channel,
                content_key=wrap_content_key(key, content_key, each),
                channel=channel,
                rank=n,
            )
            for n, (channel, each) in enumerate(ids.items(), start=1)
        )
        new = notification(
            who,
            id=id_,
            lane=PUSH,
            klass=klass,
            template_id=None,
            template_version=None,
            routing=Routing.FIRST,
            routes=tuple(ChannelRoute(channel=channel) for channel in ids),
            content=seal_content(content_key, id_, Content(subject="s", body="b")),
            deliveries=deliveries,
        )
        await self.container.notification.acceptance().accept([new], [who], lambda _: [])
        await self.put(encode([Pointer(ids["push"], 1)]), PUSH)
        return ids

    def start(self) -> None:
        super().start()
        self.tasks.append(asyncio.create_task(self.push_lane.run()))

    async def stop(self) -> None:
        self.push_lane.stop()
        await asyncio.wait_for(self.tasks.pop(), 5)
        await super().stop()

    def status(self, ids: dict[str, UUID]) -> dict[str, str]:
        """By channel."""
        return {channel: self.rows.deliveries[each].status for channel, each in ids.items()}


@pytest.fixture
async def world() -> AsyncIterator[TurnsWorld]:
    world = TurnsWorld()
    yield world
    await world.stop()


async def test_who_has_no_device_gets_it_on_the_next_channel_at_once(world: TurnsWorld) -> None:
    """Alone, a delivery waits some minutes for an address: there may be an event of its user on the way."""
    ids = await world.ask(Profile(email="a@shop.test"), klass=NotificationClass.TRANSACTIONAL)
    world.start()
    await eventually(lambda: world.status(ids) == {"push": S.FAILED, "email": S.SENT}, timeout=2)
    assert world.sent == [ids["email"]]
    assert not world.rows.dead_letters
    assert [step.reason for step in world.rows.history[ids["email"]]][:2] == [None, "push failed: no device"]


async def test_the_last_channel_waits_for_an_address(world: TurnsWorld) -> None:
    ids = await world.ask(Profile(), klass=NotificationClass.TRANSACTIONAL)
    world.start()
    await passing(60)
    assert world.status(ids) == {"push": S.FAILED, "email": S.QUEUED}
    await passing(300)
    assert world.status(ids) == {"push": S.FAILED, "email": S.FAILED}
    assert [row.channel for row in world.rows.dead_letters.values()] == ["email"]


async def test_a_provider_that_is_away_leaves_time_to_the_next_channel(world: TurnsWorld) -> None:
    def answer(message: OutboundMessage) -> Outcome:
        return DOWN if message.channel == "push" else Accepted("taken")

    world.answer = answer
    known = Profile(email="a@shop.test", addresses={"push": "token"})
    ids = await world.ask(known, klass=NotificationClass.OTP)
    world.start()

    await passing(4 * 60)
    assert world.status(ids) == {"push": S.QUEUED, "email": S.STANDBY}
    await passing(2 * 60)
    assert world.status(ids) == {"push": S.FAILED, "email": S.SENT}


async def test_what_reaches_its_user_on_the_first_channel_is_not_sent_on_another(world: TurnsWorld) -> None:
    known = Profile(email="a@shop.test", addresses={"push": "token"})
    ids = await world.ask(known, klass=NotificationClass.OTP)
    world.start()
    await eventually(lambda: world.status(ids) == {"push": S.SENT, "email": S.SUPPRESSED}, timeout=2)
    assert world.sent == [ids["push"]]
