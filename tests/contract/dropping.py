"""What must hold when a channel's backlog is given up: that, all of it, and nothing else."""

from uuid import UUID

from application.dead_letter.ports import Selection
from application.job.ports import JobKind, JobStatus
from application.outbox.pointers import Pointer
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, Mode, Priority
from tests.contract.engine import Engine
from tests.contract.jobs import job, run
from tests.contract.leasing import begin, lease, leased
from tests.contract.settling import settle

S = DeliveryStatus
SMS = Lane("sms", Priority.LOW)
WAITING = Selection(mode="live", channel="sms")


class DropContract:
    """Subclasses have a fixture `engine`."""

    async def test_what_waits_is_suppressed_and_says_why(self, engine: Engine) -> None:
        first, second = await engine.given(3, lane=SMS), await engine.given(2, lane=SMS)
        other = await engine.given(2)
        test = await engine.given(lane=SMS, mode=Mode.TEST)
        assert await engine.backlog().count("sms", "live") == 5
        assert await engine.backlog().count("sms", "test") == 1

        made = await job(engine, JobKind.DROP, WAITING, note="the sale is over")
        assert (made.status, made.total, made.done) == (JobStatus.RUNNING, 5, 0)
        done = await run(engine, made)

        assert (done.status, done.total, done.done, done.skipped) == (JobStatus.COMPLETED, 5, 5, 0)
        for new in (first, second):
            assert set(await engine.statuses(new.id)) == {S.SUPPRESSED}
            await engine.assert_counted(new.id)
        [delivery] = first.deliveries[:1]
        assert (await engine.history(delivery.id))[-1] == (S.SUPPRESSED, "dropped: the sale is over")
        assert (await engine.actors(delivery.id))[-1] == "ada"
        assert set(await engine.statuses(other.id)) == {S.QUEUED}
        assert set(await engine.statuses(test.id)) == {S.QUEUED}
        assert await engine.backlog().count("sms", "live") == 0

    async def test_its_pointers_are_stale(self, engine: Engine) -> None:
        new = await engine.given(lane=SMS)
        await run(engine, await job(engine, JobKind.DROP, WAITING, note="over"))
        leases = await lease(engine, Pointer(new.deliveries[0].id, 1))
        assert (leases.taken, leases.later) == ([], [])

    async def test_who_is_being_called_and_who_has_ended_is_left_alone(self, engine: Engine) -> None:
        calling = await leased(engine, await engine.given(lane=SMS))
        await begin(engine, calling)
        sent = await leased(engine, await engine.given(lane=SMS))
        await begin(engine, sent)
        await settle(engine, sent, S.SENT, outcome="accepted")
        assert await engine.backlog().count("sms", "live") == 0
        done = await run(engine, await job(engine, JobKind.DROP, WAITING, note="over"))
        assert (done.total, done.done) == (0, 0)
        assert await _status(engine, calling.id) is S.SENDING
        assert await _status(engine, sent.id) is S.SENT

    async def test_stopped_it_drops_no_more(self, engine: Engine) -> None:
        new = await engine.given(2, lane=SMS)
        made = await job(engine, JobKind.DROP, WAITING, note="over")
        await engine.jobs().cancel(made.id, "live")
        done = await run(engine, made)
        assert (done.status, done.done) == (JobStatus.CANCELLED, 0)
        assert set(await engine.statuses(new.id)) == {S.QUEUED}


async def _status(engine: Engine, id_: UUID) -> DeliveryStatus:
    return (await engine.delivery(id_)).status
