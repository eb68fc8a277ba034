"""The runner of jobs: at once when nudged, else soon; a broken job stops nobody."""

import asyncio
from collections.abc import AsyncIterator, Collection
from uuid import UUID

import pytest

from application.dead_letter.ports import Selection
from application.job.advance import AdvanceJob
from application.job.ports import Job, JobKind, JobStatus, Step
from application.job.start import StartJob
from application.outbox.ports import OutboxMessage
from domain.kernel.channel import Mode
from domain.kernel.errors import StoreUnavailable
from entrypoints.engine.jobs import JOBS_MAX, TRIES_MAX, JobsActor
from tests.contract.dead_letters import failed
from tests.contract.engine import MemoryEngine
from tests.support.eventually import eventually, steadily
from tests.support.memory.jobs import MemoryJobChunks, MemoryJobs
from tests.support.memory.rows import MemoryRows
from tests.support.telemetry import RecordedTelemetry
from tests.unit.engine.harness import CLOCK, IDS

ALL = Selection(mode=Mode.LIVE)
NEVER = 60.0


class Chunks:
    """`JobChunks`, some of whose jobs are broken, whose store is away, or who is held up."""

    def __init__(self, inner: MemoryJobChunks) -> None:
        self.inner = inner
        self.broken: set[UUID] = set()
        self.stuck: set[UUID] = set()
        self.away = 0
        self.hold: asyncio.Event | None = None

    async def unfinished(self, limit: int, resting: Collection[UUID] = ()) -> list[UUID]:
        return await self.inner.unfinished(limit, resting)

    async def advance(self, job: UUID, limit: int) -> Step | None:
        if self.hold is not None:
            await self.hold.wait()
        if self.away:
            self.away -= 1
            raise StoreUnavailable("away")
        if job in self.broken:
            raise KeyError(job)
        if job in self.stuck:
            raise StoreUnavailable("PostgreSQL: SQLSTATE 57014")
        return await self.inner.advance(job, limit)

    async def fail(self, job: UUID, error: str) -> None:
        await self.inner.fail(job, error)


class World:
    """A runner over rows."""

    def __init__(self) -> None:
        self.engine, self.telemetry = MemoryEngine(MemoryRows(CLOCK)), RecordedTelemetry()
        self.chunks = Chunks(MemoryJobChunks(rows=self.engine.rows, process=self.engine.me, ids=IDS))
        self.offered: list[OutboxMessage] = []
        self.tasks: list[asyncio.Task[None]] = []

    @property
    def waiting(self) -> int:
        return 0

    def offer(self, messages: list[OutboxMessage]) -> None:
        self.offered += messages

    def runner(self, every: float) -> JobsActor:
        advance = AdvanceJob(chunks=self.chunks, handoff=self, size=2)
        actor = JobsActor(advance=advance, chunks=self.chunks, telemetry=self.telemetry, every=every)
        self.tasks.append(asyncio.create_task(actor.run()))
        return actor

    async def start(self, runner: JobsActor, kind: JobKind = JobKind.REPLAY) -> Job:
        begin = StartJob(jobs=MemoryJobs(rows=self.engine.rows), nudge=runner, ids=IDS)
        return await begin(kind, ALL, actor="ada", note="x")

    async def stands(self, job: Job) -> JobStatus:
        found = await self.engine.jobs().find(job.id, "live")
        assert found is not None
        return found.status

    async def comes_to(self, job: Job, status: JobStatus) -> None:
        async def there() -> None:
            assert await self.stands(job) is status

        await eventually(there, timeout=60)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World()
    yield world
    for task in world.tasks:
        task.cancel()
    await asyncio.gather(*world.tasks, return_exceptions=True)


async def test_a_job_made_here_begins_at_once(world: World) -> None:
    for _ in range(5):
        await failed(world.engine)
    runner = world.runner(every=NEVER)
    await asyncio.sleep(0)  # it has looked, and waits

    job = await world.start(runner)

    await world.comes_to(job, JobStatus.COMPLETED)
    assert len(world.offered) == 3, "one message for each chunk of two"
    [(event, fields)] = world.telemetry.wides
    assert event == "job.finished"
    assert (fields["done"], fields["total"], fields["status"]) == (5, 5, JobStatus.COMPLETED)


async def test_jobs_of_others_are_found_soon(world: World) -> None:
    world.runner(every=0.01)
    nobody = JobsActor(advance=None, chunks=None, telemetry=world.telemetry)  # type: ignore[arg-type]
    await world.comes_to(await world.start(nobody), JobStatus.COMPLETED)


async def test_several_jobs_take_turns(world: World) -> None:
    for _ in range(6):
        await failed(world.engine)
    world.chunks.hold = asyncio.Event()
    runner = world.runner(every=NEVER)
    jobs = [await world.start(runner, JobKind.DISCARD) for _ in range(3)]
    world.chunks.hold.set()
    for job in jobs:
        await world.comes_to(job, JobStatus.COMPLETED)
    done = [found.done for found in await world.engine.jobs().page("live", None, 10)]
    assert done == [2, 2, 2]


async def test_one_that_cannot_go_on_fails_alone(world: World) -> None:
    runner = world.runner(every=0.01)
    nobody = JobsActor(advance=None, chunks=None, telemetry=world.telemetry)  # type: ignore[arg-type]
    world.chunks.away = 1_000_000
    broken, fine = await world.start(nobody), await world.start(nobody)
    world.chunks.broken, world.chunks.away = {broken.id}, 0

    await world.comes_to(fine, JobStatus.COMPLETED)
    await world.comes_to(broken, JobStatus.FAILED)
    found = await world.engine.jobs().find(broken.id, "live")
    assert found is not None
    assert found.error == "cannot go on: KeyError"
    assert [each["job"] for each in world.telemetry.troubled_by("job.failed")] == [broken.id]
    runner.stop()


async def test_those_that_never_get_through_do_not_hold_up_the_younger_ones(world: World) -> None:
    """More of them than take turns at a time; each is given up after bounded tries, with its reason."""
    for _ in range(5):
        await failed(world.engine)
    nobody = JobsActor(advance=None, chunks=None, telemetry=world.telemetry)  # type: ignore[arg-type]
    stuck = [await world.start(nobody) for _ in range(JOBS_MAX + 5)]
    world.chunks.stuck = {job.id for job in stuck}
    young = await world.start(nobody)
    loop = asyncio.get_running_loop()
    began = loop.time()
    runner = world.runner(every=3)

    await world.comes_to(young, JobStatus.COMPLETED)
    assert loop.time() - began < 10
    assert {await world.stands(job) for job in stuck} == {JobStatus.RUNNING}, "they may yet get through"
    for job in stuck:
        await eventually(lambda job=job: _failed(world, job), timeout=1_000, interval=5)
    assert loop.time() - began < 600
    found = await world.engine.jobs().find(stuck[0].id, "live")
    assert found is not None
    assert found.error == "cannot go on: PostgreSQL: SQLSTATE 57014"
    tries = [each for each in world.telemetry.troubled_by("jobs.wait") if each["job"] == stuck[0].id]
    assert len(tries) == TRIES_MAX
    runner.stop()


async def test_one_that_gets_through_in_the_end_has_rested_meanwhile(world: World) -> None:
    await failed(world.engine)
    job = await world.start(world.runner(every=3))
    world.chunks.stuck = {job.id}
    await eventually(lambda: len(world.telemetry.troubled_by("jobs.wait")) == 3, timeout=60)
    world.chunks.stuck = set()
    await world.comes_to(job, JobStatus.COMPLETED)


async def _failed(world: World, job: Job) -> bool:
    return await world.stands(job) is JobStatus.FAILED


async def test_while_the_store_is_away_it_waits(world: World) -> None:
    await failed(world.engine)
    world.chunks.away = 3
    job = await world.start(world.runner(every=0.01))
    await world.comes_to(job, JobStatus.COMPLETED)
    assert len(world.telemetry.troubled_by("jobs.wait")) == 3


async def test_it_stops_after_the_chunk_in_hand(world: World) -> None:
    for _ in range(6):
        await failed(world.engine)
    world.chunks.hold = asyncio.Event()
    runner = world.runner(every=NEVER)
    job = await world.start(runner)
    await asyncio.sleep(0)

    runner.stop()
    world.chunks.hold.set()

    await asyncio.wait_for(world.tasks[0], 5)
    found = await world.engine.jobs().find(job.id, "live")
    assert found is not None
    assert (found.status, found.done) in ((JobStatus.RUNNING, 2), (JobStatus.RUNNING, 0))
    await steadily(lambda: len(world.offered) <= 1, seconds=0.05)
