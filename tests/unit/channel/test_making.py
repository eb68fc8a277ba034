"""Channels that the API makes and removes."""

import pytest

from application.channel.known_channels import KnownChannels
from application.channel.open_channels import OpenChannels
from application.channel.ports import Channel, WhenDisabled
from application.channel.remove import RemoveChannel
from application.channel.save import SaveChannel
from application.provider.ports import Gateway
from domain.kernel.channel import CHANNELS, RUN_TIME_MAX, AddressedBy, Mode
from domain.kernel.errors import BrokerUnavailable, Invalid, NotFound
from tests.support.clock import HandClock
from tests.support.memory.catalog import MemoryChannels
from tests.support.memory.rows import MemoryRows

WHATSAPP = Channel(channel="whatsapp", providers=("cloud",), addressed_by=AddressedBy.PHONE)


class World:
    """One process, its database, and a broker that may be away."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.channels = MemoryChannels(rows=MemoryRows(self.clock))
        self.known = KnownChannels(CHANNELS)
        self.open = OpenChannels(channels=self.channels, clock=self.clock, known=self.known)
        self.made: list[str] = []
        self.providers = {"cloud", "sandbox"}
        self.seen_late: set[str] = set()
        self.broker_away = False
        self.waiting = 0
        self.save = SaveChannel(
            channels=self.channels,
            gateways=self,
            open=self.open,
            known=self.known,
            queues=self,
            look=self.look,
        )
        self.remove = RemoveChannel(
            channels=self.channels, backlog=self, open=self.open, known=self.known, clock=self.clock
        )

    def push_services(self, _provider: str) -> frozenset[str]:
        return frozenset()

    def named(self, provider: str) -> Gateway | None:
        return self if provider in self.providers else None  # type: ignore[return-value]  # only looked at

    async def look(self) -> None:
        self.providers |= self.seen_late

    async def make(self, channel: str) -> None:
        if self.broker_away:
            raise BrokerUnavailable("away")
        self.made.append(channel)

    async def count(self, channel: str, mode: Mode) -> int:
        return self.waiting if mode is Mode.TEST else 0


@pytest.fixture
def world() -> World:
    return World()


async def test_a_new_channel_has_its_lanes_and_is_known_at_once(world: World) -> None:
    assert "whatsapp" not in world.known
    saved = await world.save(WHATSAPP, expected=0)

    assert (saved.value, saved.version) == (WHATSAPP, 1)
    assert world.made == ["whatsapp"]
    assert "whatsapp" in world.known
    assert await world.open.made() == {"whatsapp"}
    assert await world.open.addressed_by("whatsapp") is AddressedBy.PHONE


async def test_another_process_knows_it_within_seconds(world: World) -> None:
    other = KnownChannels(CHANNELS)
    elsewhere = OpenChannels(channels=world.channels, clock=world.clock, known=other)
    await elsewhere.look()
    await world.save(WHATSAPP, expected=0)
    world.clock.go_on(2)

    await elsewhere.look()

    assert "whatsapp" in other


async def test_without_the_broker_nothing_is_saved(world: World) -> None:
    world.broker_away = True
    with pytest.raises(BrokerUnavailable):
        await world.save(WHATSAPP, expected=0)
    assert await world.channels.get("whatsapp") is None


async def test_a_change_keeps_what_addresses_its_recipients(world: World) -> None:
    await world.save(WHATSAPP, expected=0)

    saved = await world.save(Channel(channel="whatsapp", providers=("sandbox",)), expected=1)

    assert saved.value.addressed_by is AddressedBy.PHONE
    assert world.made == ["whatsapp"]


async def test_a_provider_that_another_process_has_just_saved_is_seen(world: World) -> None:
    world.seen_late.add("new")
    await world.save(Channel(channel="email", providers=("new",)), expected=1)


@pytest.mark.parametrize(
    ("channel", "faults"),
    [
        (Channel(channel="pigeon"), {("/addressedBy", "missing")}),
        (Channel(channel="Pigeon", addressed_by=AddressedBy.PHONE), {("", "bad_name")}),
        (Channel(channel="p" * 32, addressed_by=AddressedBy.PHONE), {("", "bad_name")}),
        (Channel(channel="a.b", addressed_by=AddressedBy.PHONE), {("", "bad_name")}),
        (Channel(channel="sms", addressed_by=AddressedBy.PHONE), {("/addressedBy", "built_in")}),
        (
            Channel(channel="x", addressed_by=AddressedBy.EMAIL, providers=("cloud", "gone", "cloud")),
            {("/providers/1", "unknown_provider"), ("/providers/2", "duplicate")},
        ),
    ],
)
async def test_what_cannot_be_is_refused_by_name(
    world: World, channel: Channel, faults: set[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as refused:
        await world.save(channel, expected=None)
    assert {(fault.pointer, fault.code) for fault in refused.value.faults} == faults
    assert world.made == []


async def test_another_kind_of_address_is_another_channel(world: World) -> None:
    await world.save(WHATSAPP, expected=0)
    with pytest.raises(Invalid, match="phone"):
        await world.save(Channel(channel="whatsapp", addressed_by=AddressedBy.EMAIL), expected=1)


async def test_there_are_only_so_many(world: World) -> None:
    for n in range(RUN_TIME_MAX):
        await world.save(Channel(channel=f"c{n}", addressed_by=AddressedBy.PHONE), expected=0)
    with pytest.raises(Invalid, match="32"):
        await world.save(WHATSAPP, expected=0)


async def removable(world: World) -> None:
    await world.save(WHATSAPP, expected=0)
    await world.save(Channel(channel="whatsapp", enabled=False), expected=1)
    world.clock.go_on(11)


async def test_a_channel_that_is_done_with_is_removed(world: World) -> None:
    await removable(world)
    await world.remove("whatsapp", expected=2)
    assert await world.open.made() == frozenset()
    assert "whatsapp" not in world.known


async def test_what_still_has_work_stays(world: World) -> None:
    await removable(world)
    world.waiting = 1
    with pytest.raises(Invalid, match="drop"):
        await world.remove("whatsapp", expected=2)
    assert await world.channels.get("whatsapp")


async def test_what_may_still_take_requests_stays(world: World) -> None:
    await world.save(WHATSAPP, expected=0)
    with pytest.raises(Invalid, match="disable"):
        await world.remove("whatsapp", expected=1)
    held = Channel(channel="whatsapp", enabled=False, when_disabled=WhenDisabled.HOLD)
    await world.save(held, expected=1)
    world.clock.go_on(11)
    with pytest.raises(Invalid, match="refuse"):
        await world.remove("whatsapp", expected=2)
    await world.save(Channel(channel="whatsapp", enabled=False), expected=2)
    with pytest.raises(Invalid, match="just now"):
        await world.remove("whatsapp", expected=3)


async def test_only_what_was_made_is_removed(world: World) -> None:
    with pytest.raises(Invalid, match="not made"):
        await world.remove("email", expected=1)
    with pytest.raises(NotFound):
        await world.remove("pigeon", expected=1)
