"""The great mishaps, each at its time: deaths, freezes, cuts, parts that are away, a broker that forgets."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from application.kernel.versioned import Versioned
from tests.simulation.fleet import Fleet, Member
from tests.simulation.random_faults import Part
from tests.simulation.shop import LOAD
from tests.simulation.world import CHANNELS, Ambush, World
from tests.support.virtual_time import passing

STORM = LOAD + 13
"""Seconds after which nothing goes wrong any more."""
FAULTS_MIN = 20
"""Of a run, small mishaps counted."""
AMBUSHED = (
    "accept",
    "ack",
    "adopt",
    "advance",
    "alias",
    "begin",
    "delete",
    "register",
    "lease",
    "owned",
    "place",
    "postpone",
    "publish",
    "publish_later",
    "reissue",
    "set_current",
    "send",
    "settle",
    "subscribe",
    "remove",
)
"""Requests in the middle of which processes die."""


@dataclass(slots=True)
class Faults:
    """Draws what happens when, and lets it happen."""

    world: World
    fleet: Fleet

    def start(self) -> None:
        """All that will be."""
        chance = self.world.chance
        kinds: tuple[tuple[Callable[[], object], int], ...] = (
            (self._kill, 4),
            (self._ambush, 10),
            (self._stop, 2),
            (self._freeze, 4),
            (self._freeze_for_ever, 1),
            (self._cut_off_for_ever, 1),
            (self._cut, 2),
            (self._store_away, 2),
            (self._broker_away, 2),
            (self._provider_down, 2),
            (self._purge, 1),
            (self._login_refused, 2),
            (self._pause, 1),
            (self._keyless, 1),
        )
        happen = chance.choices([kind for kind, _ in kinds], [n for _, n in kinds], k=chance.randint(14, 24))
        if chance.random() < 0.3:
            happen.append(self._wipe)
        for what in happen:
            self.world.loop.call_later(chance.uniform(1, STORM - 5), what)
        self.world.loop.call_later(STORM - 5, self._top_up)

    def _top_up(self) -> None:
        """A run that was too quiet ends with cut after cut."""
        if self.world.weather.count.total() < FAULTS_MIN:
            self._cut()
            self.world.loop.call_later(0.2, self._top_up)

    def _kill(self) -> None:
        for member in self._chosen():
            self.world.kill(member.process, "at some time")

    def _ambush(self) -> None:
        chance = self.world.chance
        for member in self._chosen():
            self.world.ambushes.append(
                Ambush(member.process, chance.choice(AMBUSHED), chance.randint(0, 6), chance.random() < 0.5)
            )

    def _stop(self) -> None:
        for member in self._chosen():
            self.fleet.stop(member)

    def _freeze(self) -> None:
        for member in self._chosen():
            self.world.freeze(member.process, self.world.chance.uniform(5, 40))

    def _freeze_for_ever(self) -> None:
        """It never wakes up; after a while somebody puts another in its place, and it is still there."""
        for member in self._chosen():
            self.world.freeze(member.process, math.inf)
            self._replace(member)

    def _cut_off_for_ever(self) -> None:
        """From the broker alone: it lives, accepts, and gets nothing published."""
        for member in self._chosen():
            self.world.weather.count["cut off for ever"] += 1
            self.world.note("{} is cut off from the broker for ever", member.process.name)
            member.process.cut_off = True
            member.process.troubled()
            member.process.hang_up("cut off for ever")
            self._replace(member)

    def _replace(self, member: Member) -> None:
        self.world.loop.call_later(self.world.chance.uniform(5, 20), member.process.give_up)

    def _cut(self) -> None:
        for member in self._chosen():
            self.world.weather.count["cut off"] += 1
            self.world.note("{} is cut off from the broker", member.process.name)
            member.process.troubled(broker=True)
            member.process.hang_up("cut off")

    def _store_away(self) -> None:
        self.world.spawn(self._away(Part.STORE))

    def _broker_away(self) -> None:
        self.world.spawn(self._away(Part.BROKER))

    async def _away(self, part: Part) -> None:
        """Its locks, or its connections, end with it."""
        world = self.world
        if part in world.weather.away or not world.weather.stormy:
            return
        world.weather.count[f"{part.value} away"] += 1
        world.note("the {} goes away", part.value)
        world.weather.away.add(part)
        for member in self.fleet.living():
            member.process.troubled(broker=part is Part.BROKER)
        if part is Part.BROKER:
            world.drop_everybody("away")
        else:
            world.rows.processes.clear()
        await passing(world.chance.uniform(0.5, 15))
        world.note("the {} is back", part.value)
        world.weather.away.discard(part)
        world.connections += part is Part.BROKER

    def _wipe(self) -> None:
        self.world.wipe_broker()

    def _purge(self) -> None:
        full = [lane for lane in self.world.lanes if self.world.broker._queues[lane.queue].waiting]
        if full:
            self.world.purge(self.world.chance.choice(full))

    def _provider_down(self) -> None:
        weather = self.world.weather
        if weather.stormy:
            weather.count["provider goes down"] += 1
            weather.provider_down = True
            self.world.loop.call_later(self.world.chance.uniform(2, 15), self._provider_up)

    def _provider_up(self) -> None:
        self.world.weather.provider_down = False

    def _login_refused(self) -> None:
        weather = self.world.weather
        if weather.stormy:
            self.world.note("the provider refuses our login")
            weather.count["login refused"] += 1
            weather.login_refused = True
            self.world.loop.call_later(self.world.chance.uniform(2, 20), self._login_taken)

    def _login_taken(self) -> None:
        self.world.note("the provider takes our login again")
        self.world.weather.login_refused = False

    def _keyless(self) -> None:
        """A process that was not told the key others seal with; then somebody tells it."""
        for member in self._chosen():
            self.world.weather.count["keyless"] += 1
            self.world.note("{} has not the key", member.process.name)
            member.process.keys.wrong = "not the key"
            self.world.loop.call_later(self.world.chance.uniform(2, 15), self._keyed, member)

    def _keyed(self, member: Member) -> None:
        self.world.note("{} has the key", member.process.name)
        member.process.keys.wrong = None

    def _pause(self) -> None:
        """An operator pauses a channel for a while, or disables it: by the clock, which draws nothing."""
        channel = self.world.chance.choice(CHANNELS)
        disables = round(self.world.loop.time() * 1000) % 2 == 1
        self._set(channel, paused=not disables, enabled=not disables)
        self.world.loop.call_later(self.world.chance.uniform(1, 15), self._resume, channel)

    def _resume(self, channel: str) -> None:
        self._set(channel, paused=False, enabled=True)

    def _set(self, channel: str, *, paused: bool, enabled: bool) -> None:
        world = self.world
        how = "rests" if paused else "goes on" if enabled else "is disabled"
        world.note("channel {} {}", channel, how)
        now = world.rows.channels[channel]
        changed = msgspec.structs.replace(now.value, paused=paused, enabled=enabled)
        world.rows.channels[channel] = Versioned(changed, now.version + 1, world.clock.now())

    def _chosen(self) -> list[Member]:
        living = self.fleet.living()
        return [self.world.chance.choice(living)] if living and self.world.weather.stormy else []
