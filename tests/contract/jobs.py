"""What must hold of jobs: all that was chosen is done once, in chunks, by whoever comes."""

import asyncio
from typing import Any
from uuid import uuid4

from application.dead_letter.ports import Selection
from application.delivery.ports import Leased
from application.job.ports import Job, JobKind, JobStatus, NewJob
from application.outbox.pointers import Pointer
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Mode
from tests.contract.dead_letters import failed, letter
from tests.contract.engine import Engine
from tests.contract.leasing import begin, lease
from tests.contract.settling import settle
from tests.support.accepting import IDS

S = DeliveryStatus
ALL = Selection(mode="live")


async def job(engine: Engine, kind: JobKind = JobKind.REPLAY, selection: Selection = ALL, **more: Any) -> Job:
    new = NewJob(id=IDS.next(), kind=kind, selection=selection, **({"actor": "ada"} | more))
    return await engine.jobs().create(new)


async def seen(engine: Engine, one: Job) -> Job:
    found = await engine.jobs().find(one.id, one.mode)
    assert found is not None
    return found


async def run(engine: Engine, one: Job, chunk: int = 2) -> Job:
    """To its end."""
    while await engine.job_chunks().advance(one.id, chunk) is not None:
        pass
    return await seen(engine, one)


async def statuses(engine: Engine, taken: list[Leased]) -> list[str]:
    return [(await engine.delivery(each.id)).status for each in taken]


class JobsContract:
    """Subclasses have a fixture `engine`."""

    async def test_a_job_replays_what_is_chosen_chunk_by_chunk(self, engine: Engine) -> None:
        taken = [await failed(engine) for _ in range(5)]
        other = await failed(engine, "554 something else")
        [chosen] = [g for g in await engine.letter_reader().groups(ALL, None, 10) if g.count == 5]

        made = await job(engine, selection=Selection(mode="live", fingerprint=chosen.fingerprint), note="why")

        assert (made.status, made.total, made.done, made.skipped) == (JobStatus.RUNNING, 5, 0, 0)
        assert (made.kind, made.mode, made.actor, made.note) == (JobKind.REPLAY, "live", "ada", "why")
        assert await engine.job_chunks().unfinished(10) == [made.id]
        assert await statuses(engine, taken) == [S.FAILED] * 5, "making a job does nothing yet"

        step = await engine.job_chunks().advance(made.id, 2)

        assert step is not None
        assert (step.job.done, step.job.status) == (2, JobStatus.RUNNING)
        assert [row.message for row in await engine.messages()] == step.messages
        assert (await statuses(engine, taken)).count(S.QUEUED) == 2
        after = await run(engine, made)
        assert (after.status, after.total, after.done, after.skipped) == (JobStatus.COMPLETED, 5, 5, 0)
        assert await statuses(engine, [*taken, other]) == [S.QUEUED] * 5 + [S.FAILED]
        assert await engine.job_chunks().unfinished(10) == []
        for each in taken:
            [dead] = await engine.dead_letters(each.id)
            assert (dead.resolution, dead.closed_by) == ("replayed", "ada")
            await engine.assert_counted(each.notification)

    async def test_a_job_discards_with_its_note(self, engine: Engine) -> None:
        taken = [await failed(engine) for _ in range(3)]

        after = await run(engine, await job(engine, JobKind.DISCARD, note="the shop has closed"))

        assert (after.status, after.done) == (JobStatus.COMPLETED, 3)
        assert await statuses(engine, taken) == [S.FAILED] * 3
        notes = [row.note for each in taken for row in await engine.dead_letters(each.id)]
        assert notes == ["the shop has closed"] * 3
        assert await engine.messages() == []

    async def test_one_that_chooses_nothing_is_done_at_once(self, engine: Engine) -> None:
        after = await run(engine, await job(engine))
        assert (after.status, after.total, after.done, after.skipped) == (JobStatus.COMPLETED, 0, 0, 0)

    async def test_what_dies_later_is_not_its_business(self, engine: Engine) -> None:
        taken = await failed(engine)
        made = await job(engine)
        step = await engine.job_chunks().advance(made.id, 1)
        assert step is not None
        assert step.job.status is JobStatus.RUNNING, "a full chunk does not know that it is the last"
        [again] = (await lease(engine, Pointer(taken.id, taken.seq + 2))).taken
        await begin(engine, again)
        await settle(engine, again, S.FAILED, outcome="refused", reason="still", counts=True)
        await failed(engine)

        after = await run(engine, made)

        assert (after.total, after.done, after.skipped) == (1, 1, 0)
        assert (await engine.delivery(taken.id)).epoch == 1
        assert await engine.letter_reader().count(ALL) == 2

    async def test_what_others_have_closed_is_skipped(self, engine: Engine) -> None:
        taken = [await failed(engine) for _ in range(4)]
        made = await job(engine)
        await engine.letters().discard([letter(taken[0]), letter(taken[3])], "bob", "mine")

        after = await run(engine, made)

        assert (after.status, after.total, after.done, after.skipped) == (JobStatus.COMPLETED, 4, 2, 2)
        assert await statuses(engine, taken) == [S.FAILED, S.QUEUED, S.QUEUED, S.FAILED]

    async def test_a_cancelled_job_stops_after_the_chunk_in_hand(self, engine: Engine) -> None:
        taken = [await failed(engine) for _ in range(4)]
        made = await job(engine)
        await engine.job_chunks().advance(made.id, 2)

        asked = await engine.jobs().cancel(made.id, "live")

        assert asked is not None
        assert asked.status is JobStatus.CANCELLING
        after = await run(engine, made)
        assert (after.status, after.total, after.done, after.skipped) == (JobStatus.CANCELLED, 4, 2, 0)
        assert (await statuses(engine, taken)).count(S.FAILED) == 2
        assert await engine.jobs().cancel(made.id, "live") == after, "again is harmless"

    async def test_a_finished_job_stays_as_it_is(self, engine: Engine) -> None:
        after = await run(engine, await job(engine))

        assert await engine.jobs().cancel(after.id, "live") == after
        await engine.job_chunks().fail(after.id, "too late")
        assert await engine.job_chunks().advance(after.id, 10) is None
        assert await seen(engine, after) == after

    async def test_one_that_fails_says_why(self, engine: Engine) -> None:
        await failed(engine)
        made = await job(engine)

        await engine.job_chunks().fail(made.id, "KeyError")

        after = await seen(engine, made)
        assert (after.status, after.error, after.done) == (JobStatus.FAILED, "KeyError", 0)
        assert await engine.job_chunks().unfinished(10) == []

    async def test_each_mode_sees_its_own(self, engine: Engine) -> None:
        await failed(engine)
        test = await failed(engine, mode=Mode.TEST)
        made = await job(engine, selection=Selection(mode="test"))

        assert await engine.jobs().find(made.id, "live") is None
        assert await engine.jobs().cancel(made.id, "live") is None
        assert await engine.jobs().find(uuid4(), "live") is None
        assert await engine.jobs().page("live", None, 10) == []
        after = await run(engine, made)
        assert (after.mode, after.total, after.done) == ("test", 1, 1)
        assert (await engine.delivery(test.id)).status is S.QUEUED
        assert await engine.letter_reader().count(ALL) == 1

    async def test_newest_first_and_pages_meet(self, engine: Engine) -> None:
        made = [(await job(engine)).id for _ in range(5)]
        first = await engine.jobs().page("live", None, 2)
        rest = await engine.jobs().page("live", first[-1].id, 10)
        assert [one.id for one in (*first, *rest)] == made[::-1]
        assert await engine.job_chunks().unfinished(3) == made[:3]
        assert await engine.job_chunks().unfinished(3, made[:2]) == made[2:]

    async def test_many_runners_replay_each_letter_once(self, engine: Engine) -> None:
        taken = [await failed(engine) for _ in range(24)]
        made = await job(engine)

        async def runner() -> None:
            chunks = engine.job_chunks(uuid4())
            while (await seen(engine, made)).finished_at is None:
                await chunks.advance(made.id, 3)

        await asyncio.gather(*(runner() for _ in range(4)))

        after = await seen(engine, made)
        assert (after.total, after.done, after.skipped) == (24, 24, 0)
        rows = [await engine.delivery(each.id) for each in taken]
        assert {(row.status, row.epoch) for row in rows} == {(S.QUEUED, 1)}
