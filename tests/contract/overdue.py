"""What an `Overdue` must do; here a delivery is late as soon as its time has come."""

from datetime import timedelta

from application.attempt.ports import Resolution
from application.outbox.pointers import decode
from application.outbox.ports import Overdue, OverdueDelivery, OverdueFound
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, Priority
from tests.contract.dead_letters import failed, letter
from tests.contract.engine import Engine
from tests.contract.leasing import PAST, begin, lease, leased
from tests.contract.settling import called, settle
from tests.support.accepting import EMAIL, IDS, pointers


class OverdueContract:
    """Subclasses have fixtures `engine` and `overdue`."""

    async def test_what_is_open_and_due_is_found_and_nothing_else(
        self, engine: Engine, overdue: Overdue
    ) -> None:
        new, waiting, flying, dropped = [await engine.given() for _ in range(4)]
        await engine.shift(waiting.deliveries[0].id, "not_before", timedelta(hours=1))
        await leased(engine, flying)
        lost = await leased(engine, dropped)
        await engine.shift(lost.id, "lease_until", PAST)
        await failed(engine)
        done = await leased(engine, await engine.given())
        await begin(engine, done)
        await settle(engine, done, DeliveryStatus.SENT, outcome="accepted")

        found = await overdue.find()

        assert sorted(found.late, key=lambda late: late.pointer.delivery) == sorted(
            (
                OverdueDelivery(pointer=pointer, lane=EMAIL)
                for pointer in (*pointers(new), *pointers(dropped))
            ),
            key=lambda late: late.pointer.delivery,
        )
        await engine.shift(waiting.deliveries[0].id, "not_before", PAST)
        assert (await overdue.find()).late in (
            [],
            [OverdueDelivery(pointer=pointers(waiting)[0], lane=EMAIL)],
        )

    async def test_who_was_found_is_left_alone_for_a_while(self, engine: Engine, overdue: Overdue) -> None:
        await engine.given(5)
        assert len((await overdue.find()).late) == 5
        assert await overdue.find() == OverdueFound()

    async def test_whoever_is_issued_again_keeps_its_number_and_is_leased_once(
        self, engine: Engine, overdue: Overdue
    ) -> None:
        new = await engine.given(30)
        lost = await leased(engine, dropped := await engine.given())
        await engine.shift(lost.id, "lease_until", PAST)
        found = await overdue.find()

        messages = await overdue.issue(found.late)

        issued = [pointer for message in messages for pointer in decode(message.body)]
        assert sorted(issued, key=str) == sorted([*pointers(new), *pointers(dropped)], key=str)
        assert {message.queue for message in messages} == {EMAIL.queue}
        assert len((await lease(engine, *pointers(new)[:10])).taken) == 10, "they were in somebody's hand"
        assert len((await lease(engine, *issued)).taken) == 21
        assert [row.message for row in await engine.messages()] == messages

    async def test_who_becomes_open_when_the_look_is_past_it_is_found_too(
        self, engine: Engine, overdue: Overdue
    ) -> None:
        """Sent again by hand, resolved, or accepted on `intake` during an outage: the ids are older."""
        dead, held, minted = await failed(engine), await called(engine, await engine.given()), IDS.next()
        await settle(engine, held, DeliveryStatus.UNKNOWN, outcome="unknown", reason="no answer")
        await engine.given()
        await overdue.find()

        await engine.letters().replay([letter(dead)], "ada")
        await engine.unknown().resolve(held.id, held.attempt, "live", Resolution.RESEND, "ada")
        from_intake = await engine.given(id=minted, from_intake=True)

        found = [late.pointer.delivery for late in (await overdue.find()).late]
        assert sorted(found) == sorted([dead.id, held.id, from_intake.deliveries[0].id])

    async def test_who_came_back_meanwhile_is_not_issued(self, engine: Engine, overdue: Overdue) -> None:
        new = await engine.given(3)
        found = await overdue.find()
        await lease(engine, pointers(new)[0])
        await engine.shift(pointers(new)[1].delivery, "not_before", timedelta(hours=1))
        [message] = await overdue.issue(found.late)
        assert decode(message.body) == [pointers(new)[2]]

    async def test_of_each_lane_the_longest_wait_is_known(self, engine: Engine, overdue: Overdue) -> None:
        assert await overdue.longest() == []
        low = Lane("email", Priority.LOW)
        old, *_ = [await engine.given(lane=low) for _ in range(2)]
        high = await engine.given(lane=Lane("email", Priority.HIGH))
        await engine.shift(old.deliveries[0].id, "not_before", -timedelta(minutes=7))
        await overdue.find()

        ages = {waiting.lane: waiting.age for waiting in await overdue.longest()}
        assert set(ages) == {low, Lane("email", Priority.HIGH)}
        assert timedelta(minutes=7) <= ages[low] < timedelta(minutes=8)
        assert ages[Lane("email", Priority.HIGH)] < timedelta(minutes=1)

        await lease(engine, *pointers(high))
        for pointer in pointers(old):
            taken = (await lease(engine, pointer)).taken[0]
            await begin(engine, taken)
            await settle(engine, taken, DeliveryStatus.SENT, outcome="accepted")
        ages = {waiting.lane: waiting.age for waiting in await overdue.longest()}
        assert ages[low] < timedelta(minutes=1)
