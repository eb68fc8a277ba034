"""What a `Recovery` must do: issue pointers again, from the rows alone."""

from datetime import timedelta
from uuid import uuid4

from application.outbox.pointers import Pointer, decode
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, Priority
from tests.contract.dead_letters import failed, letter
from tests.contract.engine import Engine
from tests.contract.leasing import PAST, begin, lease, leased
from tests.contract.settling import settle
from tests.support.accepting import EMAIL, pointers


async def reissued(engine: Engine) -> dict[Pointer, tuple[str, bool]]:
    """Pointer to (queue, whether it waits), of everything that was issued again."""
    process = uuid4()
    count = await engine.recovery(process).reissue()
    rows = [row for row in await engine.messages() if row.owner == process]
    found = {
        pointer: (row.message.queue, row.message.due is not None)
        for row in rows
        for pointer in decode(row.message.body)
    }
    assert len(found) == count
    return found


class RecoveryContract:
    """Subclasses have a fixture `engine`."""

    async def test_everything_unfinished_is_issued_again_and_nothing_else(self, engine: Engine) -> None:
        new = await engine.given(250)
        waiting, flying, dropped = await engine.given(), await engine.given(), await engine.given()
        await engine.shift(waiting.deliveries[0].id, "not_before", timedelta(hours=1))
        await leased(engine, flying)
        lost = await leased(engine, dropped)
        await begin(engine, lost)
        await engine.shift(lost.id, "lease_until", PAST)
        for status, outcome in ((DeliveryStatus.SENT, "accepted"), (DeliveryStatus.UNKNOWN, "unknown")):
            taken = await leased(engine, await engine.given())
            await begin(engine, taken)
            await settle(engine, taken, status, outcome=outcome)

        found = await reissued(engine)

        assert found == (
            dict.fromkeys(pointers(new, seq=2), (EMAIL.queue, False))
            | {pointers(waiting, seq=2)[0]: (EMAIL.queue, True)}
            | {pointers(flying)[0]: (EMAIL.queue, True)}
            | {pointers(dropped)[0]: (EMAIL.queue, False)}
        )
        assert (await lease(engine, *pointers(new))).taken == []
        assert len((await lease(engine, *pointers(new, seq=2))).taken) == 250
        assert len((await lease(engine, *pointers(dropped))).taken) == 1

    async def test_they_travel_packed_by_lane(self, engine: Engine) -> None:
        await engine.given(150)
        await engine.given(30, lane=Lane("sms", Priority.LOW))

        await reissued(engine)

        sizes = sorted((row.message.queue, len(decode(row.message.body))) for row in await engine.messages())
        assert sizes == [
            ("deliver.email.medium", 50),
            ("deliver.email.medium", 100),
            ("deliver.sms.low", 30),
        ]

    async def test_again_is_harmless(self, engine: Engine) -> None:
        new = await engine.given(10)

        first, second = await reissued(engine), await reissued(engine)

        assert set(first) == set(pointers(new, seq=2))
        assert set(second) == set(pointers(new, seq=3))
        assert len((await lease(engine, *first, *second)).taken) == 10

    async def test_an_empty_database_has_nothing_to_issue(self, engine: Engine) -> None:
        assert await reissued(engine) == {}
        assert await engine.recovery(uuid4()).reissue_dead() == 0

    async def test_open_dead_letters_are_issued_as_they_were_each_alone(self, engine: Engine) -> None:
        dead = [letter(await failed(engine)) for _ in range(5)]
        await engine.letters().discard(dead[:1], "operator", "enough")
        process = uuid4()

        assert await engine.recovery(process).reissue_dead() == 4

        rows = [row.message for row in await engine.messages() if row.owner == process]
        assert {row.queue for row in rows} == {EMAIL.dead}
        issued = [decode(row.body) for row in rows]
        assert sorted(map(str, issued)) == sorted(str([pointer]) for pointer in dead[1:])
        assert await reissued(engine) == {}, "a dead letter is no unfinished delivery"

    async def test_the_urgent_are_issued_first(self, engine: Engine) -> None:
        lanes = [Lane("email", p) for p in (Priority.LOW, Priority.HIGH, Priority.CRITICAL, Priority.MEDIUM)]
        for lane in lanes:
            await engine.given(3, lane=lane)

        await reissued(engine)

        assert [row.message.queue for row in await engine.messages()] == [
            lane.queue for lane in sorted(lanes, key=lambda lane: lane.priority)
        ]

    async def test_one_lane_alone_can_be_issued(self, engine: Engine) -> None:
        lane = Lane("email", Priority.LOW)
        wanted = await engine.given(30, lane=lane)
        await engine.given(30)
        process = uuid4()
        assert await engine.recovery(process).reissue(lane=lane) == 30
        rows = [row for row in await engine.messages() if row.owner == process]
        assert {row.message.queue for row in rows} == {lane.queue}
        issued = [pointer for row in rows for pointer in decode(row.message.body)]
        assert sorted(issued, key=str) == sorted(pointers(wanted, seq=2), key=str)

        dead = letter(await failed(engine))
        assert await engine.recovery(uuid4()).reissue_dead(lane=lane) == 0
        assert await engine.recovery(process).reissue_dead(lane=EMAIL) == 1
        [row] = [row for row in await engine.messages() if row.message.queue == EMAIL.dead]
        assert decode(row.message.body) == [dead]
