"""A push delivery reaches the devices of its user: each by a provider that takes its token, none twice."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from uuid import UUID

import pytest

from application.channel.ports import Channel
from application.device.ports import DeviceRow
from application.kernel.versioned import Versioned
from application.privacy.sealing import open_profile, seal_device, seal_profile
from application.provider.ports import OutboundMessage
from domain.delivery.delivery import DeliveryStatus
from domain.delivery.policy import OnUnknown, RetryPolicy
from domain.device.device import Device, Platform, PushService
from domain.kernel.channel import Lane, Priority
from domain.notification.request import Profile
from domain.provider.outcome import Accepted, AccountFault, Deferred, Outcome, Refused, Unknown
from entrypoints.engine.lane.actor import LaneActor
from tests.support.eventually import eventually
from tests.support.virtual_time import EPOCH, passing
from tests.unit.engine.harness import CLOCK, World

PUSH = Lane("push", Priority.MEDIUM)
DOWN = Deferred("503", examined=False)
HOLD = RetryPolicy(on_unknown=OnUnknown.HOLD)
KINDS = {
    "android": (Platform.ANDROID, PushService.FCM),
    "iphone": (Platform.IOS, PushService.APNS),
    "mixed": (Platform.IOS, PushService.FCM),
}


class PushWorld(World):
    """Two providers of push: `fcm`, and `apns`."""

    def __init__(self) -> None:
        super().__init__()
        self.rows.channels["push"] = Versioned(
            Channel(channel="push", providers=("fcm", "apns")), 1, CLOCK.now()
        )
        self.services = {"fcm": frozenset({"fcm"}), "apns": frozenset({"apns"})}
        self.lane = LaneActor(lane=PUSH, services=self.engine)
        self.called: list[tuple[str, str]] = []
        self.answers: dict[str, Outcome | Callable[[], Outcome]] = {}
        self.answer = self._answer

    def _answer(self, message: OutboundMessage) -> Outcome:
        provider = self.rows.attempts[message.delivery][message.attempt].provider
        self.called.append((provider, message.address))
        answer = self.answers.get(message.address, Accepted(f"taken-{message.address}"))
        return answer() if callable(answer) else answer

    async def push(self, *devices: str, user_id: str | None = None) -> UUID:
        """Accept a notification for a user with these devices."""
        [id_] = await self.accept(lane=PUSH)
        user = self.rows.users[self.rows.deliveries[id_].user_id]
        assert user.data_key is not None
        key = self.vault.unwrap(user.data_key, user.id)
        if user_id is not None:
            profile = seal_profile(key, user.id, Profile(user_id=user_id))
            assert open_profile(key, user.id, profile).user_id == user_id
            self.rows.users[user.id] = type(user)(
                id=user.id, guest=False, data_key=user.data_key, profile=profile
            )
        for n, name in enumerate(devices):
            platform, service = KINDS[name.rstrip("0123456789")]
            device_id = bytes([n]) * 32
            self.rows.devices[device_id] = DeviceRow(
                id=device_id,
                user_id=user.id,
                service=service,
                platform=platform,
                sealed=seal_device(key, device_id, Device(token=name, platform=platform, service=service)),
                data_key=user.data_key,
                seen=CLOCK.now() - timedelta(seconds=n),
                registered=CLOCK.now(),
            )
        return id_

    def status(self, id_: UUID) -> DeliveryStatus:
        """Of a delivery."""
        return self.rows.deliveries[id_].status

    def outcomes(self, id_: UUID) -> list[str]:
        """Of the delivery on each device."""
        results = sorted((device, row) for (of, device), row in self.rows.device_results.items() if of == id_)
        return [row.result.outcome for _, row in results]


@pytest.fixture
async def world() -> AsyncIterator[PushWorld]:
    world = PushWorld()
    yield world
    await world.stop()


async def ended(world: PushWorld, id_: UUID, status: DeliveryStatus, within: float = 5) -> None:
    """Wait until a delivery stands so."""
    world.start()
    await eventually(lambda: world.status(id_) is status, timeout=within)


async def test_each_device_is_reached_by_a_provider_that_takes_its_token(world: PushWorld) -> None:
    id_ = await world.push("android", "iphone", "mixed")
    await ended(world, id_, DeliveryStatus.SENT, within=0.5)
    assert sorted(world.called) == [("apns", "iphone"), ("fcm", "android"), ("fcm", "mixed")]
    assert world.outcomes(id_) == ["accepted"] * 3
    assert [row.provider for row in world.rows.attempts[id_].values()] == ["fcm", "apns"]
    assert world.rows.deliveries[id_].attempts_counted == 1


async def test_a_retry_goes_to_devices_that_have_not_accepted(world: PushWorld) -> None:
    id_ = await world.push("android", "android2")
    world.answers["android2"] = DOWN
    world.start()
    await passing(1.5)
    assert world.status(id_) is DeliveryStatus.QUEUED
    world.answers.clear()
    await eventually(lambda: world.status(id_) is DeliveryStatus.SENT, timeout=30)
    assert world.called.count(("fcm", "android")) == 1
    assert world.called.count(("fcm", "android2")) >= 2


async def test_what_one_device_never_takes_does_not_fail_the_delivery(world: PushWorld) -> None:
    id_ = await world.push("android", "android2")
    world.answers["android2"] = Deferred("too large today", may_recover=False)
    await ended(world, id_, DeliveryStatus.SENT, within=120)
    assert world.outcomes(id_) == ["accepted", "deferred"]
    assert world.called.count(("fcm", "android")) == 1


async def test_no_device_takes_it(world: PushWorld) -> None:
    id_ = await world.push("android", "iphone")
    world.answers |= {"android": Refused("UNREGISTERED"), "iphone": Refused("BadDeviceToken")}
    await ended(world, id_, DeliveryStatus.FAILED)
    assert world.rows.deliveries[id_].reason == "no device accepted: BadDeviceToken"


async def test_a_refusal_of_one_is_no_failure(world: PushWorld) -> None:
    id_ = await world.push("android", "iphone")
    world.answers["iphone"] = Refused("Unregistered")
    await ended(world, id_, DeliveryStatus.SENT)
    assert world.outcomes(id_) == ["accepted", "refused"]


async def test_a_user_without_devices(world: PushWorld) -> None:
    id_ = await world.push()
    world.start()
    await passing(3)
    assert world.rows.deliveries[id_].reason == "no device yet"
    await passing(400)
    assert (world.status(id_), world.rows.deliveries[id_].reason) == (DeliveryStatus.FAILED, "no device")


async def test_an_account_that_is_refused_does_not_hold_the_other_provider_up(world: PushWorld) -> None:
    id_ = await world.push("android", "iphone")
    world.answers["android"] = AccountFault("401")
    world.start()
    await passing(10)
    assert ("apns", "iphone") in world.called
    other = await world.push("iphone5")
    await eventually(lambda: world.status(other) is DeliveryStatus.SENT, timeout=5)
    world.answers.clear()
    await eventually(lambda: world.status(id_) is DeliveryStatus.SENT, timeout=300)
    assert world.called.count(("apns", "iphone")) == 1


async def test_an_unknown_outcome_is_of_its_device_alone(world: PushWorld) -> None:
    id_ = await world.push("android", "android2", "iphone")
    world.answers["android2"] = Unknown("timed out")
    world.start()
    await passing(1)
    world.answers.clear()
    await eventually(lambda: world.status(id_) is DeliveryStatus.SENT, timeout=60)
    assert world.called.count(("fcm", "android")) == world.called.count(("apns", "iphone")) == 1
    assert world.called.count(("fcm", "android2")) >= 2


async def test_where_nothing_may_come_twice_an_unknown_outcome_holds_the_delivery(world: PushWorld) -> None:
    for policies in (world.engine.begin.policies, world.engine.call.policies):
        assert isinstance(policies, dict)
        policies.update(dict.fromkeys(policies, HOLD))
    id_ = await world.push("android", "android2", "iphone")
    world.answers["android2"] = Unknown("timed out")
    await ended(world, id_, DeliveryStatus.UNKNOWN)
    assert sorted(world.called) == [("fcm", "android"), ("fcm", "android2")]


async def test_a_provider_that_knows_the_devices_gets_the_users_id(world: PushWorld) -> None:
    world.rows.channels["push"] = Versioned(
        Channel(channel="push", providers=("fcm", "signal")), 1, CLOCK.now()
    )
    none = await world.push(user_id="456")
    await ended(world, none, DeliveryStatus.SENT)
    assert world.called == [("signal", "456")]

    world.called.clear()
    one = await world.push("android", user_id="789")
    await eventually(lambda: world.status(one) is DeliveryStatus.SENT, timeout=5)
    assert world.called == [("fcm", "android")], "reached once is enough"

    world.called.clear()
    world.answers["android"] = Refused("UNREGISTERED")
    one = await world.push("android", user_id="789")
    await eventually(lambda: world.status(one) is DeliveryStatus.SENT, timeout=5)
    assert world.called == [("fcm", "android"), ("signal", "789")]


async def test_a_worker_that_died_leaves_what_was_stored(world: PushWorld) -> None:
    id_ = await world.push("android", "iphone")
    world.answers["iphone"] = DOWN
    world.start()
    await eventually(lambda: world.outcomes(id_) == ["accepted", "deferred"], timeout=5)
    await world.die()
    world.lane = LaneActor(lane=PUSH, services=world.engine)
    world.pass_time()
    world.answers.clear()
    await ended(world, id_, DeliveryStatus.SENT, within=60)
    assert world.called.count(("fcm", "android")) == 1


@pytest.mark.parametrize(
    ("refused", "stays"),
    [
        (Refused("UNREGISTERED", gone=True), False),
        (Refused("INVALID_ARGUMENT"), True),
        (Refused("Unregistered", gone=True, gone_at=EPOCH - timedelta(days=400)), True),
        (Refused("Unregistered", gone=True, gone_at=EPOCH + timedelta(days=400)), False),
    ],
)
async def test_a_dead_token_is_dropped(world: PushWorld, refused: Refused, stays: bool) -> None:
    id_ = await world.push("android", "iphone")
    world.answers["android"] = refused
    await ended(world, id_, DeliveryStatus.SENT)
    assert (b"\0" * 32 in world.rows.devices) is stays
    assert b"\1" * 32 in world.rows.devices
