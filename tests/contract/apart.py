"""Where test traffic goes on each of its ways: to a lane of its own, and to the dead letters of that."""

from datetime import timedelta

from application.attempt.ports import Resolution
from application.outbox.pointers import Pointer
from domain.kernel.channel import Lane, Mode, Priority
from tests.contract.engine import Engine
from tests.contract.leasing import PAST, lease
from tests.contract.settling import S, called, settle

TESTED = Lane("sms", Priority.CRITICAL, Mode.TEST)


async def queues(engine: Engine) -> set[str]:
    """Of all that has been issued since the last look."""
    rows = await engine.messages()
    await engine.outbox().delete([row.message.id for row in rows])
    return {row.message.queue for row in rows}


class ApartContract:
    """Subclasses have a fixture `engine`."""

    async def test_what_test_keys_send_stays_on_its_own_lane(self, engine: Engine) -> None:
        """A retry, a dead letter, its replay, and what is given up."""
        taken = await called(engine, await engine.given(lane=TESTED, mode=Mode.TEST))
        await settle(engine, taken, S.QUEUED, outcome="deferred", reason="later")
        assert await queues(engine) == {"deliver.sms.test"}

        [again] = (await lease(engine, Pointer(taken.id, taken.seq + 1))).taken
        await settle(engine, again, S.FAILED, reason="no address")
        assert await queues(engine) == {"deliver.sms.test.dlq"}

        await engine.letters().replay([Pointer(taken.id, taken.seq + 2)], "ops")
        assert await queues(engine) == {"deliver.sms.test"}

        await engine.letters().give_up([Pointer(taken.id, taken.seq + 3)], "a bug")
        assert await queues(engine) == {"deliver.sms.test.dlq"}

    async def test_what_an_operator_decides_of_it_does_so_too(self, engine: Engine) -> None:
        for resolution, queue in (
            (Resolution.RESEND, "deliver.sms.test"),
            (Resolution.FAILED, "deliver.sms.test.dlq"),
        ):
            taken = await called(engine, await engine.given(lane=TESTED, mode=Mode.TEST))
            await settle(engine, taken, S.UNKNOWN, outcome="unknown", reason="no answer")
            await engine.unknown().resolve(taken.id, taken.attempt, Mode.TEST, resolution, "ops")
            assert await queues(engine) == {queue}

    async def test_a_wiped_broker_gets_it_back_where_it_was(self, engine: Engine) -> None:
        await engine.given(3, lane=TESTED, mode=Mode.TEST)
        dead = await called(engine, await engine.given(lane=TESTED, mode=Mode.TEST))
        await settle(engine, dead, S.FAILED, outcome="refused", reason="blocked")
        held = await called(engine, await engine.given(lane=TESTED, mode=Mode.TEST))
        await engine.shift(held.id, "lease_until", timedelta(seconds=30))
        await queues(engine)

        recovery = engine.recovery(engine.me)
        assert await recovery.reissue() == 4
        assert await queues(engine) == {"deliver.sms.test"}
        assert await recovery.reissue_dead() == 1
        assert await queues(engine) == {"deliver.sms.test.dlq"}

    async def test_one_lane_alone_is_recovered_of_one_kind(self, engine: Engine) -> None:
        """Test deliveries of whatever priority belong to the one lane, and to no live one."""
        for priority in (Priority.HIGH, Priority.LOW):
            await engine.given(lane=Lane("sms", priority, Mode.TEST), mode=Mode.TEST)
            await engine.given(lane=Lane("sms", priority))
        recovery = engine.recovery(engine.me)

        assert await recovery.reissue(lane=Lane.parse("deliver.sms.test")) == 2
        assert await queues(engine) == {"deliver.sms.test"}
        assert await recovery.reissue(lane=Lane("sms", Priority.HIGH)) == 1
        assert await queues(engine) == {"deliver.sms.high"}

    async def test_its_priority_stays_as_it_was_asked_for(self, engine: Engine) -> None:
        taken = await called(engine, await engine.given(lane=TESTED, mode=Mode.TEST))
        assert (await engine.delivery(taken.id)).priority is Priority.CRITICAL
        await settle(engine, taken, S.QUEUED, outcome="deferred", reason="later")
        assert [row.message.priority for row in await engine.messages()] == [Priority.LOW]

    async def test_what_a_dead_worker_had_comes_back_there(self, engine: Engine) -> None:
        taken = await called(engine, await engine.given(lane=TESTED, mode=Mode.TEST))
        await engine.shift(taken.id, "lease_until", PAST)
        [again] = (await lease(engine, Pointer(taken.id, taken.seq))).taken
        await settle(engine, again, S.QUEUED, reason="channel paused")
        assert await queues(engine) == {"deliver.sms.test"}
