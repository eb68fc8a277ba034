"""What must hold of several channels: with `all` each goes its own way, with `first` they take turns."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from application.attempt.ports import Resolution
from application.dead_letter.ports import Selection
from application.delivery.ports import Leased, Settled
from application.job.ports import JobKind
from application.notification.ports import NewNotification
from application.outbox.pointers import Pointer, decode
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Mode
from domain.notification.rollup import Counts, NotificationStatus
from domain.notification.routing import Routing
from tests.contract.engine import Engine
from tests.contract.jobs import job, run
from tests.contract.leasing import PAST, begin, lease
from tests.contract.settling import CALLED, settle
from tests.support.accepting import user

S = DeliveryStatus
CHAIN = ("push", "sms", "email")


async def in_turn(engine: Engine, recipients: int = 1, **changes: Any) -> NewNotification:
    users = [user() for _ in range(recipients)]
    return await engine.given_several(*users, **{"routing": Routing.FIRST, "channels": CHAIN} | changes)


def on(new: NewNotification, channel: str) -> UUID:
    """The delivery of its only recipient on a channel."""
    [found] = [each.id for each in new.deliveries if each.channel == channel]
    return found


async def calling(engine: Engine, delivery: UUID) -> Leased:
    """Its turn has come, and its call is begun."""
    [taken] = (await lease(engine, Pointer(delivery, (await engine.delivery(delivery)).seq))).taken
    assert await begin(engine, taken)
    return taken


async def fail(engine: Engine, delivery: UUID, reason: str = "550") -> Settled:
    taken = await calling(engine, delivery)
    return await settle(engine, taken, S.FAILED, outcome="refused", reason=reason, counts=True)


class InTurnContract:
    """Subclasses have a fixture `engine`."""

    async def standing(self, engine: Engine, new: NewNotification) -> list[str]:
        """Of a single recipient, in the order of the channels."""
        await engine.assert_counted(new.id)
        return [(await engine.delivery(on(new, route.channel))).status for route in new.routes]

    async def test_with_all_every_channel_is_queued_in_a_lane_of_its_own(self, engine: Engine) -> None:
        new = await in_turn(engine, routing=Routing.ALL)

        assert await self.standing(engine, new) == [S.QUEUED] * 3
        taken = (await lease(engine, *(Pointer(each.id, 1) for each in new.deliveries))).taken
        said = {each.channel: (each.template_id, each.template_version, each.turn) for each in taken}
        assert said == {channel: (f"on-{channel}", 3, None) for channel in CHAIN}
        assert await begin(engine, *taken)
        by_channel = {each.channel: each for each in taken}
        refused = await settle(engine, by_channel["push"], S.FAILED, outcome="refused", reason="410")
        assert [message.queue for message in refused.messages] == ["deliver.push.high.dlq"]
        again = await settle(engine, by_channel["sms"], S.QUEUED, outcome="deferred", reason="busy")
        assert [message.queue for message in again.messages] == ["deliver.sms.high"]
        await settle(engine, by_channel["email"], S.SENT, outcome="accepted")
        assert await self.standing(engine, new) == [S.FAILED, S.QUEUED, S.SENT]

    async def test_with_first_only_the_first_channel_has_its_turn(self, engine: Engine) -> None:
        new = await in_turn(engine)

        assert await self.standing(engine, new) == [S.QUEUED, S.STANDBY, S.STANDBY]
        assert await engine.history(on(new, "sms")) == [("standby", None)]
        leases = await lease(engine, *(Pointer(each.id, 1) for each in new.deliveries))
        assert [(each.channel, each.turn) for each in leases.taken] == [("push", (1, 3))]
        assert leases.later == []

    async def test_a_definite_failure_gives_the_next_channel_its_turn(self, engine: Engine) -> None:
        new = await in_turn(engine)

        settled = await fail(engine, on(new, "push"), "410 gone")

        [message] = settled.messages
        assert (message.queue, message.due) == ("deliver.sms.high", None)
        assert decode(message.body) == [Pointer(on(new, "sms"), 1)]
        assert [row.message for row in await engine.messages()] == [message]
        assert await engine.dead_letters(on(new, "push")) == []
        assert await engine.history(on(new, "push")) == [*CALLED, ("failed", "410 gone")]
        assert await engine.history(on(new, "sms")) == [
            ("standby", None),
            ("queued", "push failed: 410 gone"),
        ]
        assert await self.standing(engine, new) == [S.FAILED, S.QUEUED, S.STANDBY]
        taken = await calling(engine, on(new, "sms"))
        assert (taken.turn, taken.template_id) == ((2, 3), "on-sms")

    async def test_the_last_channel_that_fails_is_a_dead_letter(self, engine: Engine) -> None:
        new = await in_turn(engine)
        await fail(engine, on(new, "push"))
        await fail(engine, on(new, "sms"))

        settled = await fail(engine, on(new, "email"))

        assert [message.queue for message in settled.messages] == ["deliver.email.high.dlq"]
        [letter] = await engine.dead_letters(on(new, "email"))
        stand = await engine.stand(new.id)
        assert stand is not None
        assert (stand.status, stand.counts) == (NotificationStatus.FAILED, Counts(failed=3))
        reopened = await engine.letters().replay([Pointer(letter.delivery_id, letter.seq)], "ada")
        assert [message.queue for message in reopened.messages] == ["deliver.email.high"]
        await settle(engine, await calling(engine, on(new, "email")), S.SENT, outcome="accepted")
        assert await self.standing(engine, new) == [S.FAILED, S.FAILED, S.SENT]
        stand = await engine.stand(new.id)
        assert stand is not None
        assert stand.status == NotificationStatus.COMPLETED

    @pytest.mark.parametrize(
        ("status", "outcome", "becomes", "why"),
        [
            (S.SENT, "accepted", S.SUPPRESSED, "sent on push"),
            (S.SUPPRESSED, None, S.SUPPRESSED, "push suppressed: opted out"),
            (S.CANCELLED, None, S.CANCELLED, "push cancelled: opted out"),
        ],
    )
    async def test_whatever_else_ends_a_channel_ends_those_behind_it(
        self, engine: Engine, status: S, outcome: str | None, becomes: S, why: str
    ) -> None:
        new = await in_turn(engine)
        [taken] = (await lease(engine, Pointer(on(new, "push"), 1))).taken
        if outcome is not None:
            assert await begin(engine, taken)

        settled = await settle(
            engine, taken, status, outcome=outcome, reason=None if outcome else "opted out"
        )

        assert settled.messages == []
        assert await self.standing(engine, new) == [status, becomes, becomes]
        assert await engine.history(on(new, "email")) == [("standby", None), (becomes, why)]

    async def test_a_retry_or_a_held_call_moves_nothing(self, engine: Engine) -> None:
        again, held = await in_turn(engine), await in_turn(engine)
        retried, unanswered = (
            await calling(engine, on(again, "push")),
            await calling(engine, on(held, "push")),
        )

        await settle(engine, retried, S.QUEUED, outcome="deferred", reason="busy")
        settled = await settle(engine, unanswered, S.UNKNOWN, outcome="unknown", reason="no answer")

        assert settled.messages == []
        assert await self.standing(engine, again) == [S.QUEUED, S.STANDBY, S.STANDBY]
        assert await self.standing(engine, held) == [S.UNKNOWN, S.STANDBY, S.STANDBY]

    @pytest.mark.parametrize(
        ("resolution", "becomes"),
        [
            (Resolution.SENT, [S.SENT, S.SUPPRESSED, S.SUPPRESSED]),
            (Resolution.FAILED, [S.FAILED, S.QUEUED, S.STANDBY]),
            (Resolution.RESEND, [S.QUEUED, S.STANDBY, S.STANDBY]),
        ],
    )
    async def test_who_resolves_a_held_call_decides_for_those_behind_it(
        self, engine: Engine, resolution: Resolution, becomes: list[S]
    ) -> None:
        new = await in_turn(engine)
        taken = await calling(engine, on(new, "push"))
        await settle(engine, taken, S.UNKNOWN, outcome="unknown", reason="no answer")

        made = await engine.unknown().resolve(taken.id, taken.attempt, Mode.LIVE, resolution, "ada")

        queues = {Resolution.FAILED: ["deliver.sms.high"], Resolution.RESEND: ["deliver.push.high"]}
        assert [message.queue for message in made] == queues.get(resolution, [])
        assert await self.standing(engine, new) == becomes
        assert await engine.dead_letters(taken.id) == []

    async def test_what_kills_workers_gives_the_next_channel_its_turn(self, engine: Engine) -> None:
        new = await in_turn(engine)

        given_up = await engine.letters().give_up([Pointer(on(new, "push"), 1)], "its worker died")

        assert [message.queue for message in given_up.messages] == ["deliver.sms.high"]
        assert await self.standing(engine, new) == [S.FAILED, S.QUEUED, S.STANDBY]
        assert await engine.dead_letters(on(new, "push")) == []

    async def test_settling_again_gives_nobody_a_turn(self, engine: Engine) -> None:
        new = await in_turn(engine)
        taken = await calling(engine, on(new, "push"))
        for _ in range(2):
            settled = await settle(engine, taken, S.FAILED, outcome="refused", reason="550")

        assert settled.overtaken == [taken.id]
        assert len(await engine.messages()) == 1
        assert await self.standing(engine, new) == [S.FAILED, S.QUEUED, S.STANDBY]

    async def test_recipients_do_not_share_their_turns(self, engine: Engine) -> None:
        new = await in_turn(engine, 3)
        firsts = [each for each in new.deliveries if each.rank == 1]
        await fail(engine, firsts[0].id)
        await settle(engine, await calling(engine, firsts[1].id), S.SENT, outcome="accepted")

        by_user = {
            each.user: [(await engine.delivery(d.id)).status for d in new.deliveries if d.user == each.user]
            for each in firsts
        }

        assert list(by_user.values()) == [
            [S.FAILED, S.QUEUED, S.STANDBY],
            [S.SENT, S.SUPPRESSED, S.SUPPRESSED],
            [S.QUEUED, S.STANDBY, S.STANDBY],
        ]
        await engine.assert_counted(new.id)

    async def test_a_cancel_ends_those_that_stand_by(self, engine: Engine) -> None:
        new = await in_turn(engine)

        assert await engine.cancelling().mark(new.id, Mode.LIVE)
        assert await engine.cancelling().sweep(new.id, 10) == 3

        assert await self.standing(engine, new) == [S.CANCELLED] * 3

    async def test_a_failure_after_a_cancel_gives_nobody_a_turn(self, engine: Engine) -> None:
        new = await in_turn(engine)
        taken = await calling(engine, on(new, "push"))
        assert await engine.cancelling().mark(new.id, Mode.LIVE)

        settled = await settle(engine, taken, S.FAILED, outcome="refused", reason="550")

        assert [message.queue for message in settled.messages] == ["deliver.push.high.dlq"]
        assert await self.standing(engine, new) == [S.FAILED, S.CANCELLED, S.CANCELLED]

    async def test_a_dropped_backlog_ends_the_whole_turn(self, engine: Engine) -> None:
        push = Selection(mode="live", channel="push")
        new = await in_turn(engine)
        done = await run(engine, await job(engine, JobKind.DROP, push, note="late"))

        assert (done.total, done.done) == (1, 1)
        assert await self.standing(engine, new) == [S.SUPPRESSED] * 3
        assert (await engine.history(on(new, "sms")))[-1] == (S.SUPPRESSED, "push suppressed: dropped: late")

    async def test_a_channel_that_stands_by_can_be_dropped_alone(self, engine: Engine) -> None:
        new = await in_turn(engine)
        sms = Selection(mode="live", channel="sms")
        assert await engine.backlog().count("sms", "live") == 1
        await run(engine, await job(engine, JobKind.DROP, sms, note="no credit"))

        assert await self.standing(engine, new) == [S.QUEUED, S.SUPPRESSED, S.STANDBY]
        await fail(engine, on(new, "push"))
        assert await self.standing(engine, new) == [S.FAILED, S.SUPPRESSED, S.QUEUED]

    async def test_what_stands_by_has_no_pointer_after_the_broker_was_wiped(self, engine: Engine) -> None:
        new = await in_turn(engine)

        assert await engine.recovery(engine.me).reissue() == 1

        [row] = await engine.messages()
        assert decode(row.message.body) == [Pointer(on(new, "push"), 2)]

    async def test_workers_and_a_cancel_at_once_count_everything_once(self, engine: Engine) -> None:
        new = await in_turn(engine, 60)
        firsts = [Pointer(each.id, 1) for each in new.deliveries if each.rank == 1]
        taken = (await lease(engine, *firsts)).taken
        await begin(engine, *taken)
        parts = [taken[n::4] for n in range(4)]

        async def work(part: list[Leased]) -> None:
            for n, each in enumerate(part):
                status, outcome = ((S.SENT, "accepted"), (S.FAILED, "refused"))[n % 2]
                await settle(engine, each, status, outcome=outcome)

        async def cancel() -> None:
            await engine.cancelling().mark(new.id, Mode.LIVE)
            while await engine.cancelling().sweep(new.id, 10):
                pass

        await asyncio.gather(*map(work, parts), cancel())

        await engine.assert_counted(new.id)
        assert not {S.STANDBY, S.QUEUED} & set(await engine.statuses(new.id))

    async def test_a_lost_worker_gives_nobody_a_turn(self, engine: Engine) -> None:
        new = await in_turn(engine)
        taken = await calling(engine, on(new, "push"))
        await engine.shift(taken.id, "lease_until", PAST)

        [again] = (await lease(engine, Pointer(taken.id, 1))).taken

        assert again.interrupted
        assert await self.standing(engine, new) == [S.SENDING, S.STANDBY, S.STANDBY]
        assert (await lease(engine, Pointer(on(new, "sms"), 1))).taken == []
