"""What must hold of calls without an answer: each is visible, and a held one is resolved once."""

import asyncio

import pytest

from application.attempt.ports import Resolution, UnknownAttempt, UnknownFilter
from application.delivery.ports import Leased
from application.outbox.pointers import Pointer, decode
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane
from domain.kernel.errors import Conflict, NotFound
from domain.notification.rollup import Counts
from tests.contract.engine import Engine
from tests.contract.leasing import begin, lease, leased, lose_worker
from tests.contract.settling import CALLED, LATER, called, settle

S = DeliveryStatus
R = Resolution
ALL = UnknownFilter(mode="live")


async def held(engine: Engine) -> Leased:
    """A delivery that rests on a call without an answer."""
    taken = await called(engine)
    await settle(engine, taken, S.UNKNOWN, outcome="unknown", reason="timed out", counts=True)
    return taken


async def seen(engine: Engine, **wanted: object) -> list[UnknownAttempt]:
    return list(await engine.unknown().page(UnknownFilter(**({"mode": "live"} | wanted)), None, 100))


class UnknownContract:
    """Subclasses have a fixture `engine`."""

    async def test_a_held_call_waits_for_somebody(self, engine: Engine) -> None:
        taken = await held(engine)

        [one] = await seen(engine, held=True, resolved=False)

        assert (one.delivery, one.attempt, one.notification) == (taken.id, 1, taken.notification)
        assert (one.status, one.held, one.reason, one.provider) == ("unknown", True, "timed out", "smtp")
        assert (one.resolved_at, one.resolution) == (None, None)
        assert await engine.unknown().held() == 1
        assert await seen(engine, mode="test") == []
        assert await seen(engine, channel="sms") == []
        assert await seen(engine, provider="smtp", notification=taken.notification) == [one]

    async def test_one_that_is_sent_again_by_its_policy_stays_visible(self, engine: Engine) -> None:
        taken = await called(engine)
        await settle(engine, taken, S.QUEUED, outcome="unknown", reason="timed out", due=LATER, counts=True)

        [one] = await seen(engine)

        assert (one.held, one.status, one.resolution, one.resolved_by) == (False, "queued", "resend", None)
        assert await engine.unknown().held() == 0

    async def test_a_lost_workers_call_is_open_until_it_is_sent_again(self, engine: Engine) -> None:
        again = await lose_worker(engine, await leased(engine, await engine.given()))
        [one] = await seen(engine)
        assert (one.attempt, one.reason, one.resolution, one.held) == (1, "worker lost", None, False)
        assert (again.interrupted, again.lost) == (True, "smtp")

        await begin(engine, again)

        assert [each.resolution for each in await seen(engine)] == ["resend"]

    @pytest.mark.parametrize(
        ("becomes", "resolution"),
        [(S.QUEUED, "resend"), (S.FAILED, "failed"), (S.CANCELLED, "cancelled"), (S.UNKNOWN, None)],
    )
    async def test_a_lost_workers_call_is_what_is_decided_of_it(
        self, engine: Engine, becomes: DeliveryStatus, resolution: str | None
    ) -> None:
        again = await lose_worker(engine, await leased(engine, await engine.given()))

        await settle(engine, again, becomes, reason="decided")

        [one] = await seen(engine)
        assert (one.resolution, one.held) == (resolution, becomes is S.UNKNOWN)

    async def test_it_was_sent_after_all(self, engine: Engine) -> None:
        taken = await held(engine)

        assert await engine.unknown().resolve(taken.id, 1, "live", R.SENT, "ada") == []

        row = await engine.delivery(taken.id)
        assert (row.status, row.held_at) == (S.SENT, None)
        assert row.sent_at is not None
        assert (await engine.history(row.id))[-1] == ("sent", "resolved as sent")
        assert (await engine.actors(row.id))[-1] == "ada"
        [one] = await seen(engine, resolved=True)
        assert (one.resolution, one.resolved_by) == ("sent", "ada")
        await engine.assert_counted(taken.notification)

    async def test_it_was_not_sent_and_must_not_be(self, engine: Engine) -> None:
        taken = await held(engine)

        [message] = await engine.unknown().resolve(taken.id, 1, "live", R.FAILED, "ada")

        lane = Lane(taken.channel, taken.priority)
        assert (message.queue, decode(message.body)) == (lane.dead, [Pointer(taken.id, taken.seq + 1)])
        [dead] = await engine.dead_letters(taken.id)
        assert (dead.seq, dead.reason) == (taken.seq + 1, "resolved as failed")
        await engine.assert_counted(taken.notification)

    async def test_it_is_to_be_sent_again(self, engine: Engine) -> None:
        taken = await held(engine)

        [message] = await engine.unknown().resolve(taken.id, 1, "live", R.RESEND, "ada")

        [pointer] = decode(message.body)
        [again] = (await lease(engine, pointer)).taken
        assert (again.attempts_counted, again.attempt, again.interrupted) == (0, 2, False)
        assert again.accepted_at > taken.accepted_at
        history = await engine.history(taken.id)
        assert history == [*CALLED, ("unknown", "timed out"), ("queued", "resolved as resend")]
        stand = await engine.stand(taken.notification)
        assert stand is not None
        assert stand.counts == Counts(open=1)

    async def test_what_does_not_rest_cannot_be_resolved(self, engine: Engine) -> None:
        taken = await held(engine)
        await engine.unknown().resolve(taken.id, 1, "live", R.SENT, "ada")
        with pytest.raises(Conflict, match="resolved already"):
            await engine.unknown().resolve(taken.id, 1, "live", R.RESEND, "bob")
        with pytest.raises(NotFound):
            await engine.unknown().resolve(taken.id, 2, "live", R.SENT, "ada")
        other = await held(engine)
        with pytest.raises(NotFound):
            await engine.unknown().resolve(other.id, 1, "test", R.SENT, "ada")
        lost = await lose_worker(engine, await leased(engine, await engine.given()))
        with pytest.raises(Conflict, match="does not rest"):
            await engine.unknown().resolve(lost.id, 1, "live", R.SENT, "ada")

    async def test_of_two_who_resolve_one_wins(self, engine: Engine) -> None:
        taken = await held(engine)
        ends = await asyncio.gather(
            *(engine.unknown().resolve(taken.id, 1, "live", R.RESEND, who) for who in ("ada", "bob")),
            return_exceptions=True,
        )
        assert sorted(type(end).__name__ for end in ends) == ["Conflict", "list"]
        assert (await engine.delivery(taken.id)).epoch == 1
        await engine.assert_counted(taken.notification)

    async def test_newest_first_and_pages_meet(self, engine: Engine) -> None:
        made = [await held(engine) for _ in range(4)]
        first = list(await engine.unknown().page(ALL, None, 2))
        last = first[-1]
        rest = await engine.unknown().page(ALL, (last.created_at, last.delivery, last.attempt), 10)
        assert [one.delivery for one in (*first, *rest)] == [taken.id for taken in reversed(made)]
