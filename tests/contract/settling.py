"""What `Deliveries` must do when a lease ends: settle, and what all of it together must keep true."""

import asyncio
import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import uuid4

import pytest

from application.delivery.ports import Leased, Settled, Settlement
from application.notification.ports import NewNotification
from application.outbox.pointers import Pointer, decode
from domain.delivery.delivery import NEXT, DeliveryStatus
from domain.kernel.channel import Lane, Mode, Priority
from domain.kernel.errors import Conflict
from domain.notification.rollup import Counts, NotificationStatus
from tests.contract.engine import Engine, Moves
from tests.contract.leasing import NOON, PAST, begin, lease, leased, lose_worker
from tests.support.accepting import pointers

S = DeliveryStatus
LATER = datetime(2030, 1, 1, tzinfo=UTC)
CALLED: Moves = [("queued", None), ("sending", None)]
LOST: Moves = [*CALLED, ("unknown", "worker lost")]


def settlement(taken: Leased, status: DeliveryStatus, **changes: Any) -> Settlement:
    return Settlement(delivery=taken.id, attempt=taken.attempt, status=status, **changes)


async def settle(engine: Engine, taken: Leased, status: DeliveryStatus, **changes: Any) -> Settled:
    return await engine.deliveries().settle([settlement(taken, status, **changes)])


async def called(engine: Engine, new: NewNotification | None = None) -> Leased:
    """A delivery whose call is begun."""
    taken = await leased(engine, new or await engine.given())
    assert await begin(engine, taken)
    return taken


class SettleContract:
    """Subclasses have a fixture `engine`."""

    async def test_a_sent_delivery_rests(self, engine: Engine) -> None:
        taken = await called(engine)

        settled = await settle(
            engine,
            taken,
            S.SENT,
            outcome="accepted",
            reference="<1@mta>",
            counts=True,
            latency=timedelta(microseconds=12_500),
        )

        assert settled == Settled([], [])
        row = await engine.delivery(taken.id)
        assert (row.status, row.seq, row.attempts_counted, row.provider) == (S.SENT, 1, 1, "smtp")
        assert (row.lease_until, row.begun_at, row.not_before, row.held_at) == (None, None, None, None)
        assert row.sent_at is not None
        [call] = await engine.attempts(taken.id)
        assert (call.outcome, call.reference, call.latency_ms, call.reason) == (
            "accepted",
            "<1@mta>",
            12.5,
            None,
        )
        assert call.settled_at is not None
        assert await engine.history(taken.id) == [*CALLED, ("sent", None)]
        stand = await engine.stand(taken.notification)
        assert stand is not None
        assert (stand.status, stand.counts) == (NotificationStatus.COMPLETED, Counts(sent=1))
        assert await engine.messages() == []

    async def test_a_retry_waits_for_its_time_under_a_new_number(self, engine: Engine) -> None:
        taken = await called(engine, await engine.given(lane=Lane("sms", Priority.HIGH)))

        settled = await settle(
            engine, taken, S.QUEUED, outcome="deferred", reason="451", due=LATER, counts=True
        )

        [message] = settled.messages
        assert [row.message for row in await engine.messages()] == [message]
        assert (message.queue, message.priority, message.due) == ("deliver.sms.high", Priority.HIGH, LATER)
        assert decode(message.body) == [Pointer(taken.id, 2)]
        row = await engine.delivery(taken.id)
        assert (row.status, row.seq, row.attempts_counted, row.not_before, row.reason) == (
            S.QUEUED,
            2,
            1,
            LATER,
            "451",
        )
        assert await engine.history(taken.id) == [*CALLED, ("queued", "451")]
        assert (await engine.attempts(taken.id))[0].outcome == "deferred"
        await engine.assert_counted(taken.notification)
        assert (await lease(engine, Pointer(taken.id, 1))).later == []
        assert len((await lease(engine, Pointer(taken.id, 2))).later) == 1

    async def test_who_leases_it_next_knows_how_many_providers_have_failed(self, engine: Engine) -> None:
        """Until a round of all is over; what says nothing of it leaves it as it is."""
        [pointer], known = pointers(await engine.given()), []
        for n, failovers in enumerate((1, None, 2, 0, None), start=1):
            [taken] = (await lease(engine, Pointer(pointer.delivery, n))).taken
            known.append(taken.failovers)
            assert await begin(engine, taken)
            await settle(engine, taken, S.QUEUED, outcome="deferred", reason="503", failovers=failovers)
        assert known == [0, 1, 1, 2, 0]

    async def test_a_failed_delivery_becomes_a_dead_letter(self, engine: Engine) -> None:
        taken = await called(engine)

        settled = await settle(engine, taken, S.FAILED, outcome="refused", reason="550", counts=True)

        [message] = settled.messages
        assert (message.queue, message.due) == ("deliver.email.medium.dlq", None)
        assert decode(message.body) == [Pointer(taken.id, 2)]
        [letter] = await engine.dead_letters(taken.id)
        assert (letter.seq, letter.notification_id, letter.channel) == (2, taken.notification, "email")
        assert (letter.provider, letter.reason, letter.attempts, letter.closed_at) == ("smtp", "550", 1, None)
        assert await engine.history(taken.id) == [*CALLED, ("failed", "550")]
        stand = await engine.stand(taken.notification)
        assert stand is not None
        assert (stand.status, stand.counts) == (NotificationStatus.FAILED, Counts(failed=1))

    async def test_a_call_without_an_answer_is_held_or_sent_again(self, engine: Engine) -> None:
        held, again = await called(engine), await called(engine)

        await settle(engine, held, S.UNKNOWN, outcome="unknown", reason="timeout", counts=True)
        await settle(engine, again, S.QUEUED, outcome="unknown", reason="timeout", due=LATER, counts=True)

        row = await engine.delivery(held.id)
        assert (row.status, row.seq, row.attempts_counted) == (S.UNKNOWN, 1, 1)
        assert row.held_at is not None
        assert await engine.history(held.id) == [*CALLED, ("unknown", "timeout")]
        assert await engine.history(again.id) == [*CALLED, ("unknown", "timeout"), ("queued", "timeout")]
        stand = await engine.stand(held.notification)
        assert stand is not None
        assert (stand.status, stand.counts) == (NotificationStatus.PROCESSING, Counts(unknown=1))

    @pytest.mark.parametrize(
        ("status", "moves"),
        [
            (S.SUPPRESSED, [("suppressed", "why")]),
            (S.CANCELLED, [("cancelled", "why")]),
            (S.FAILED, [("failed", "why")]),
            (S.QUEUED, []),
        ],
    )
    async def test_what_is_decided_without_a_call_leaves_no_attempt(
        self, engine: Engine, status: DeliveryStatus, moves: Moves
    ) -> None:
        taken = await leased(engine, await engine.given())

        await settle(engine, taken, status, reason="why")

        row = await engine.delivery(taken.id)
        assert (row.status, row.reason, row.attempts_counted) == (status, "why", 0)
        assert await engine.attempts(taken.id) == []
        assert await engine.history(taken.id) == [("queued", None), *moves]
        await engine.assert_counted(taken.notification)

    @pytest.mark.parametrize(
        ("status", "moves"),
        [
            (S.UNKNOWN, []),
            (S.QUEUED, [("queued", "why")]),
            (S.FAILED, [("failed", "why")]),
            (S.SUPPRESSED, [("queued", "why"), ("suppressed", "why")]),
            (S.CANCELLED, [("queued", "why"), ("cancelled", "why")]),
        ],
    )
    async def test_what_follows_a_lost_worker_is_told_in_legal_moves(
        self, engine: Engine, status: DeliveryStatus, moves: Moves
    ) -> None:
        again = await lose_worker(engine, await leased(engine, await engine.given()))

        settled = await settle(engine, again, status, reason="why")

        assert settled.overtaken == []
        assert (await engine.delivery(again.id)).status == status
        assert await engine.history(again.id) == LOST + moves
        await engine.assert_counted(again.notification)

    async def test_released_ones_travel_together_and_retries_alone(self, engine: Engine) -> None:
        new = await engine.given(130)
        taken = (await lease(engine, *pointers(new))).taken
        await begin(engine, *taken[:15])
        ends = [settlement(one, S.QUEUED, outcome="not_called", reason="stopping") for one in taken[:10]]
        ends += [settlement(one, S.QUEUED, outcome="deferred", due=LATER) for one in taken[10:15]]
        ends += [settlement(one, S.QUEUED, reason="channel paused") for one in taken[15:]]

        settled = await engine.deliveries().settle(ends)

        sizes = [(len(decode(m.body)), m.due) for m in settled.messages]
        assert sorted(sizes, key=str) == sorted([(1, LATER)] * 5 + [(100, None), (25, None)], key=str)
        assert {p for m in settled.messages for p in decode(m.body)} == set(pointers(new, seq=2))
        assert await engine.history(taken[0].id) == [*CALLED, ("queued", "stopping")]
        assert len((await lease(engine, *pointers(new, seq=2))).taken) == 125

    async def test_an_overtaken_worker_cannot_settle(self, engine: Engine) -> None:
        new = await engine.given(2)
        lost, kept = (await lease(engine, *pointers(new))).taken
        await begin(engine, lost, kept)
        await engine.shift(lost.id, "lease_until", PAST)
        [successor] = (await lease(engine, Pointer(lost.id, 1))).taken
        before = await engine.delivery(lost.id)
        ends = [settlement(one, S.SENT, outcome="accepted", counts=True) for one in (lost, kept)]

        settled = await engine.deliveries().settle(ends)

        assert settled == Settled([], [lost.id])
        assert await engine.delivery(lost.id) == before
        assert [call.outcome for call in await engine.attempts(lost.id)] == ["unknown"]
        assert (await engine.delivery(kept.id)).status == S.SENT
        await engine.assert_counted(new.id)
        assert (await settle(engine, successor, S.QUEUED)).overtaken == []

    async def test_settling_again_changes_nothing(self, engine: Engine) -> None:
        taken = await called(engine)
        first = await settle(engine, taken, S.FAILED, outcome="refused", reason="550")

        second = await settle(engine, taken, S.FAILED, outcome="refused", reason="550")

        third = await settle(engine, taken, S.QUEUED)

        assert (len(first.messages), second, third) == (1, Settled([], [taken.id]), Settled([], [taken.id]))
        assert len(await engine.dead_letters(taken.id)) == 1
        await engine.assert_counted(taken.notification)

    async def test_a_settlement_knows_whether_a_call_was_begun(self, engine: Engine) -> None:
        """A begin without an answer may be committed: released as not called, it would be sent twice."""
        begun, idle = await called(engine), await leased(engine, await engine.given())

        assert (await settle(engine, begun, S.QUEUED)).overtaken == [begun.id]
        assert (await settle(engine, idle, S.SENT, outcome="accepted")).overtaken == [idle.id]

        await engine.shift(begun.id, "lease_until", PAST)
        [again] = (await lease(engine, Pointer(begun.id, 1))).taken
        assert again.interrupted

    async def test_nothing_is_tried_again_after_a_cancel(self, engine: Engine) -> None:
        new = await engine.given(4)
        sent, deferred, unanswered, idle = (await lease(engine, *pointers(new))).taken
        await begin(engine, sent, deferred, unanswered)
        assert await engine.cancelling().mark(new.id, Mode.LIVE)

        settled = await engine.deliveries().settle(
            [
                settlement(sent, S.SENT, outcome="accepted"),
                settlement(deferred, S.QUEUED, outcome="deferred", reason="451", due=LATER),
                settlement(unanswered, S.QUEUED, outcome="unknown", reason="timeout", due=LATER),
                settlement(idle, S.QUEUED, reason="channel paused"),
            ]
        )

        assert settled == Settled([], [])
        for one in (deferred, unanswered, idle):
            row = await engine.delivery(one.id)
            assert (row.status, row.seq, row.not_before) == (S.CANCELLED, 1, None)
        assert await engine.history(deferred.id) == [*CALLED, ("cancelled", "451")]
        assert [status for status, _ in (await engine.history(unanswered.id))[2:]] == [
            "unknown",
            "queued",
            "cancelled",
        ]
        assert await engine.history(idle.id) == [("queued", None), ("cancelled", "channel paused")]
        stand = await engine.stand(new.id)
        assert stand is not None
        assert (stand.status, stand.counts) == (NotificationStatus.COMPLETED, Counts(sent=1, cancelled=3))

    async def test_what_a_provider_says_may_hold_anything(self, engine: Engine) -> None:
        taken, other = await called(engine), await called(engine)
        ends = [
            settlement(taken, S.QUEUED, outcome="deferred", reason="4\0 5\ud83d 1 später", reference="\0x"),
            settlement(other, S.SENT, outcome="accepted"),
        ]

        assert (await engine.deliveries().settle(ends)).overtaken == []

        assert (await engine.delivery(taken.id)).reason == "4 5? 1 später"
        assert (await engine.attempts(taken.id))[0].reference == "x"
        assert (await engine.delivery(other.id)).status == S.SENT

    async def test_an_illegal_move_is_refused(self, engine: Engine) -> None:
        taken = await called(engine)

        with pytest.raises(Conflict):
            await settle(engine, taken, S.DELIVERED, outcome="accepted")

        assert (await engine.delivery(taken.id)).status == S.SENDING

    async def test_nothing_to_settle_is_nothing(self, engine: Engine) -> None:
        assert await engine.deliveries().settle([]) == Settled([], [])

    async def test_workers_of_one_campaign_count_together(self, engine: Engine) -> None:
        new = await engine.given(200)
        taken = (await lease(engine, *pointers(new))).taken
        await begin(engine, *taken)
        parts = [taken[i::8] for i in range(8)]
        ends = [[settlement(one, S.SENT, outcome="accepted") for one in part] for part in parts]

        await asyncio.gather(*(engine.deliveries(uuid4()).settle(part) for part in ends))

        stand = await engine.stand(new.id)
        assert stand is not None
        assert (stand.status, stand.counts) == (NotificationStatus.COMPLETED, Counts(sent=200))


@dataclass(slots=True)
class Held:
    """A lease that some worker believes to hold."""

    lease: Leased
    begun: bool = False


class WalkContract:
    """Subclasses have a fixture `engine`."""

    @pytest.mark.parametrize("seed", range(6))
    async def test_whatever_happens_counters_and_histories_are_true(self, engine: Engine, seed: int) -> None:
        chance = random.Random(seed)
        news = [await engine.given(recipients) for recipients in (1, 7, 30)]
        held: list[Held] = []
        for _ in range(30):
            held = await self._step(engine, chance, chance.choice(news), held)
        for new in news:
            await engine.assert_counted(new.id)
            for delivery in new.deliveries:
                row = await engine.delivery(delivery.id)
                assert_legal(await engine.history(row.id), row.status)
                for call in await engine.attempts(row.id):
                    assert (call.outcome == "open") == (call.settled_at is None)
                    assert call.outcome != "open" or (row.status, row.attempt) == (S.SENDING, call.attempt)

    async def _step(
        self, engine: Engine, chance: random.Random, new: NewNotification, held: list[Held]
    ) -> list[Held]:
        """Lose, lease, begin, cancel and settle at random; return the leases that go on."""
        some = chance.sample(new.deliveries, len(new.deliveries) // 2 + 1)
        rows = [await engine.delivery(delivery.id) for delivery in some]
        for row in rows:
            if row.status == S.SENDING and chance.random() < 0.3:
                await engine.shift(row.id, "lease_until", PAST)
        wanted = [Pointer(row.id, row.seq - (chance.random() < 0.1)) for row in rows]
        held += [Held(taken) for taken in (await lease(engine, *wanted)).taken]
        ours = await begin(
            engine, *{one.lease.id: one.lease for one in held if chance.random() < 0.5}.values()
        )
        for one in held:
            one.begun |= one.lease.id in ours
        if chance.random() < 0.05:
            await engine.cancelling().mark(new.id, Mode.LIVE)
        if chance.random() < 0.1:
            await engine.cancelling().sweep(new.id, 3)
        ends = {one.lease.id: one for one in held if chance.random() < 0.5}
        await engine.deliveries().settle([self._end(chance, one) for one in ends.values()])
        return [one for one in held if one not in ends.values()]

    def _end(self, chance: random.Random, one: Held) -> Settlement:
        states = [S.QUEUED, S.QUEUED, S.FAILED, S.SUPPRESSED, S.CANCELLED]
        if one.begun:
            states += [S.SENT, S.UNKNOWN]
        elif one.lease.interrupted:
            states += [S.UNKNOWN]
        outcome = chance.choice(("accepted", "deferred", "unknown", "not_called")) if one.begun else None
        due = NOON if chance.random() < 0.5 else None
        return settlement(one.lease, chance.choice(states), outcome=outcome, due=due, counts=one.begun)


def assert_legal(history: Moves, status: DeliveryStatus) -> None:
    states = [DeliveryStatus(state) for state, _ in history]
    for before, after in pairwise(states):
        assert after in NEXT[before], f"{before} to {after}"
    assert status == states[-1] or (status == S.SENDING and states[-1] in (S.QUEUED, S.UNKNOWN))
