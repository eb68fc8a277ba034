"""The processes of a run: started, stopped, killed, and started again by whoever watches them."""

from dataclasses import dataclass, field

from entrypoints.engine.supervisor import Supervisor
from tests.simulation.assembly import Assembly
from tests.simulation.process import Process
from tests.simulation.world import World
from tests.support.virtual_time import passing

LAYOUTS = (
    ("api", "api", "worker", "worker", "events"),
    ("all", "all"),
    ("api", "worker", "all"),
    ("api", "worker", "worker", "events"),
)
START_MAX = 6.0
"""Seconds until a process that ended is started again, at most."""


@dataclass(slots=True)
class Member:
    """One place of the fleet, and who fills it."""

    role: str
    process: Process
    assembly: Assembly
    supervisor: Supervisor
    stopping: bool = False

    @property
    def serves(self) -> bool:
        """Who has never heard the database knows no key either, and lets nobody in."""
        return not self.stopping and self.process.clock.skew is not None


@dataclass(slots=True)
class Fleet:
    """Each place is filled again after a while, until `world` ends."""

    world: World
    members: list[Member] = field(default_factory=list)
    layout: tuple[str, ...] = ()

    def start(self) -> None:
        """Everybody."""
        self.layout = self.world.chance.choice(LAYOUTS)
        for role in self.layout:
            self.world.spawn(self._place(role))

    def living(self) -> list[Member]:
        """Those that run."""
        return [member for member in self.members if member.process.alive]

    async def api(self) -> Member:
        """One that takes requests; wait for it."""
        while True:
            serving = [m for m in self.living() if m.role in ("api", "all") and m.serves]
            if serving:
                return self.world.chance.choice(serving)
            await passing(0.5)

    def stop(self, member: Member) -> None:
        """SIGTERM."""
        if not member.stopping:
            self.world.random_faults.count["stopped"] += 1
            self.world.note("{} is asked to stop", member.process.name)
            member.stopping = True
            member.supervisor.stop()

    async def _place(self, role: str) -> None:
        while True:
            member = self._member(role)
            self.members.append(member)
            self.world.note("{} starts", member.process.name)
            member.process.start(member.assembly.present())
            running = member.process.start(member.supervisor.run())
            await member.process.over(running)
            if member.process.alive and not running.done():
                self.world.note("nobody waits for {} any more", member.process.name)
            elif member.process.alive:
                self.world.note("{} has stopped", member.process.name)
                member.process.kill()
                self.world.rows.processes.discard(member.process.id)
            self.members.remove(member)
            await passing(self.world.chance.uniform(0.2, START_MAX))

    def _member(self, role: str) -> Member:
        process = self.world.process(role)
        assembly = Assembly(self.world, process)
        supervisor = assembly.supervisor(
            api=role in ("api", "all"), lanes=role in ("worker", "all"), events=role in ("events", "all")
        )
        return Member(role, process, assembly, supervisor)
