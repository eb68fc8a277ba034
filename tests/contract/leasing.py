"""What `Deliveries` must do until a call is begun: lease and begin."""

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from application.channel.ports import Channel
from application.delivery.ports import Begin, Leased, Leases, NotDueYet, Settlement, StruckDelivery
from application.notification.ports import NewNotification
from application.outbox.pointers import Pointer, decode
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, Mode, NotificationClass, Priority
from tests.contract.engine import Engine
from tests.support.accepting import EMAIL, pointers, user

LEASE = timedelta(seconds=30)
PAST = timedelta(seconds=-1)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


async def lease(engine: Engine, *wanted: Pointer, **changes: Any) -> Leases:
    return await engine.deliveries().lease(wanted, **({"lease": LEASE} | changes))


async def leased(engine: Engine, new: NewNotification) -> Leased:
    """The lease of a notification's only delivery."""
    [taken] = (await lease(engine, *pointers(new))).taken
    return taken


async def begin(engine: Engine, *taken: Leased, provider: str = "smtp") -> frozenset[object]:
    begins = [Begin(delivery=one.id, attempt=one.attempt, provider=provider) for one in taken]
    return await engine.deliveries().begin(begins, cleared_at=NOON)


async def lose_worker(engine: Engine, taken: Leased) -> Leased:
    """Begin the call of a lease, let its worker die, and lease again."""
    assert await begin(engine, taken)
    await engine.shift(taken.id, "lease_until", PAST)
    [again] = (await lease(engine, Pointer(taken.id, taken.seq), strikes_max=9)).taken
    return again


class LeaseContract:
    """Subclasses have a fixture `engine`."""

    async def test_a_lease_gives_all_that_deciding_and_sending_need(self, engine: Engine) -> None:
        ada = user(profile=b"sealed profile")
        new = await engine.given_for(
            ada,
            lane=Lane("sms", Priority.HIGH),
            klass=NotificationClass.OTP,
            mode=Mode.TEST,
            template_id=None,
            template_version=None,
        )
        await engine.configure(Channel(channel="sms", paused=True, providers=("twilio", "sandbox")))

        leases = await lease(engine, *pointers(new))

        assert leases == Leases(
            taken=[
                Leased(
                    id=new.deliveries[0].id,
                    seq=1,
                    attempt=1,
                    attempts_counted=0,
                    strikes=0,
                    interrupted=False,
                    notification=new.id,
                    user=ada.id,
                    channel="sms",
                    priority=Priority.HIGH,
                    klass=NotificationClass.OTP,
                    mode=Mode.TEST,
                    type=new.type,
                    accepted_at=new.created_at,
                    cancelled=False,
                    suppressed=None,
                    channel_enabled=True,
                    channel_paused=True,
                    providers=("twilio", "sandbox"),
                    template_id=None,
                    template_version=None,
                    content=new.content,
                    content_key=new.deliveries[0].content_key,
                    data_key=ada.data_key,
                    profile=b"sealed profile",
                )
            ],
            facts_at=leases.facts_at,
        )
        row = await engine.delivery(new.deliveries[0].id)
        assert (row.status, row.attempt, row.begun_at) == ("sending", 1, None)
        assert row.lease_until is not None
        assert row.lease_until - leases.facts_at == LEASE
        assert await engine.history(row.id) == [("queued", None)]  # nothing was sent yet

    async def test_every_delivery_of_a_notification_has_its_content(self, engine: Engine) -> None:
        one, two = await engine.given(5, content=b"one"), await engine.given(5, content=b"two")

        leases = await lease(engine, *pointers(one, two))

        assert len(leases.taken) == 10
        contents = {one.id: b"one", two.id: b"two"}
        assert all(taken.content == contents[taken.notification] for taken in leases.taken)

    async def test_a_suppressed_address_is_known_by_its_channel(self, engine: Engine) -> None:
        ada = user(profile=b"p", email_index=b"ada@", phone_index=b"+49")
        mail = await engine.given_for(ada, lane=EMAIL)
        text = await engine.given_for(ada, lane=Lane("sms", Priority.LOW))
        push = await engine.given_for(ada, lane=Lane("push", Priority.LOW))
        await engine.suppress("email", b"ada@", "bounced")
        await engine.suppress("email", b"+49", "not a phone's affair")

        leases = await lease(engine, *pointers(mail, text, push))

        assert {taken.channel: taken.suppressed for taken in leases.taken} == {
            "email": "bounced",
            "sms": None,
            "push": None,
        }
        await engine.suppress("sms", b"+49", "complained")
        later = await leased(engine, await engine.given_for(ada, lane=Lane("sms", Priority.LOW)))
        assert later.suppressed == "complained"

    async def test_cancelled_disabled_and_erased_are_told_not_hidden(self, engine: Engine) -> None:
        ada = user(profile=b"p")
        new = await engine.given_for(ada)
        await engine.cancelling().mark(new.id, Mode.LIVE)
        await engine.configure(Channel(channel="email", enabled=False))
        await engine.erase(ada.id)

        taken = await leased(engine, new)

        assert (taken.cancelled, taken.channel_enabled, taken.data_key, taken.profile) == (
            True,
            False,
            None,
            None,
        )

    async def test_a_pointer_sent_three_times_is_leased_once(self, engine: Engine) -> None:
        new = await engine.given(20)
        wanted = pointers(new)

        together = await lease(engine, *wanted, *wanted, *reversed(wanted))
        apart = [await lease(engine, *wanted) for _ in range(2)]

        assert sorted(taken.id for taken in together.taken) == sorted(p.delivery for p in wanted)
        assert together.later == []
        for leases in apart:
            assert leases.taken == []
            assert {each.pointer for each in leases.later} == set(wanted)  # if its worker dies, it is needed

    async def test_of_workers_that_race_one_takes_it(self, engine: Engine) -> None:
        new = await engine.given(100)
        workers = [engine.deliveries(uuid4()) for _ in range(6)]

        shuffled = [random.Random(n).sample(pointers(new), 100) for n in range(6)]

        got = await asyncio.gather(
            *(worker.lease(order, lease=LEASE) for worker, order in zip(workers, shuffled, strict=True))
        )

        taken = [one.id for leases in got for one in leases.taken]
        assert sorted(taken) == sorted(p.delivery for p in pointers(new))
        assert all(len(leases.taken) + len(leases.later) == 100 for leases in got)

    async def test_stale_and_unknown_pointers_are_neither_taken_nor_kept(self, engine: Engine) -> None:
        done, new = await engine.given(), await engine.given()
        taken = await leased(engine, done)
        end = Settlement(delivery=taken.id, attempt=taken.attempt, status=DeliveryStatus.SUPPRESSED)
        await engine.deliveries().settle([end])

        stale = (*pointers(done), *pointers(new, seq=2), *pointers(new, seq=0), Pointer(uuid4(), 1))
        leases = await lease(engine, *stale)

        assert (leases.taken, leases.later) == ([], [])
        fresh = await lease(engine, *pointers(new), *stale)
        assert ([taken.seq for taken in fresh.taken], fresh.later) == ([1], [])
        assert timedelta() <= fresh.facts_at - leases.facts_at < timedelta(minutes=1)

    async def test_before_its_time_it_comes_back_later(self, engine: Engine) -> None:
        new = await engine.given()
        await engine.shift(new.deliveries[0].id, "not_before", timedelta(seconds=90))

        leases = await lease(engine, *pointers(new))

        assert leases.taken == []
        [later] = leases.later
        assert later.pointer == pointers(new)[0]
        assert timedelta(seconds=85) < later.wait < timedelta(seconds=91)
        await engine.shift(new.deliveries[0].id, "not_before", PAST)
        assert await leased(engine, new)

    async def test_while_somebody_holds_it_it_comes_back_later(self, engine: Engine) -> None:
        new = await engine.given()
        first = await leased(engine, new)

        [later] = (await lease(engine, *pointers(new))).later
        assert later.pointer == pointers(new)[0]
        assert LEASE - timedelta(seconds=5) < later.wait < LEASE + timedelta(seconds=1)

        await engine.shift(first.id, "lease_until", PAST)
        second = await leased(engine, new)
        assert (second.attempt, second.interrupted, second.attempts_counted) == (
            2,
            False,
            0,
        )  # no call was begun

    async def test_a_lost_worker_leaves_an_unknown_call(self, engine: Engine) -> None:
        new = await engine.given()

        second = await lose_worker(engine, await leased(engine, new))

        assert (second.interrupted, second.attempt, second.attempts_counted, second.seq) == (True, 2, 1, 1)
        [call] = await engine.attempts(second.id)
        assert (call.attempt, call.outcome, call.reason) == (1, "unknown", "worker lost")
        assert call.settled_at is not None
        assert await engine.history(second.id) == [
            ("queued", None),
            ("sending", None),
            ("unknown", "worker lost"),
        ]

    async def test_a_lost_call_is_told_until_something_is_decided(self, engine: Engine) -> None:
        """Else a class that must not send twice would, once two workers have died."""
        new = await engine.given()
        second = await lose_worker(engine, await leased(engine, new))
        await engine.shift(second.id, "lease_until", PAST)

        [third] = (await lease(engine, *pointers(new), strikes_max=2)).taken

        assert (third.interrupted, third.attempt, third.attempts_counted) == (True, 3, 1)  # counted once
        assert [call.attempt for call in await engine.attempts(third.id)] == [1]
        assert (await engine.history(third.id))[2:] == [("unknown", "worker lost")]
        assert await begin(engine, third)
        assert [status for status, _ in (await engine.history(third.id))[2:]] == [
            "unknown",
            "queued",
            "sending",
        ]

    async def test_what_workers_died_with_is_left_alone_and_told_how_often(self, engine: Engine) -> None:
        new, other = await engine.given(), await engine.given()
        taken = await leased(engine, new)
        for strikes in range(1, 5):
            await engine.shift(taken.id, "lease_until", PAST)
            before = await engine.delivery(taken.id)
            if strikes > 1:
                left = await lease(engine, *pointers(new), *pointers(other), strikes_max=strikes - 1)
                assert left.struck == [StruckDelivery(pointers(new)[0], strikes)]
                assert await engine.delivery(taken.id) == before
                assert len(left.taken) + len(left.later) == 1  # its neighbour
            [taken] = (await lease(engine, *pointers(new), strikes_max=strikes)).taken
            assert taken.strikes == strikes
        assert (await lease(engine, *pointers(new), strikes_max=0)).struck == []  # somebody holds it

    async def test_what_was_lost_among_many_does_not_touch_the_others(self, engine: Engine) -> None:
        new = await engine.given(3)
        taken = (await lease(engine, *pointers(new))).taken
        await begin(engine, taken[0])
        for one in taken:
            await engine.shift(one.id, "lease_until", PAST)

        again = (await lease(engine, *pointers(new))).taken

        assert {one.id: one.interrupted for one in again} == {t.id: t is taken[0] for t in taken}


class BeginContract:
    """Subclasses have a fixture `engine`."""

    async def test_an_attempt_stands_before_its_call(self, engine: Engine) -> None:
        taken = await leased(engine, await engine.given())
        worker = uuid4()

        ours = await engine.deliveries(worker).begin(
            [Begin(delivery=taken.id, attempt=1, provider="smtp")], cleared_at=NOON
        )

        assert ours == {taken.id}
        [call] = await engine.attempts(taken.id)
        assert (call.attempt, call.provider, call.worker, call.cleared_at) == (1, "smtp", worker, NOON)
        assert (call.outcome, call.settled_at) == ("open", None)
        row = await engine.delivery(taken.id)
        assert (row.status, row.provider, row.begun_at) == ("sending", "smtp", call.begun_at)
        assert await engine.history(taken.id) == [("queued", None), ("sending", None)]

    async def test_an_overtaken_worker_cannot_begin(self, engine: Engine) -> None:
        new = await engine.given(2)
        first, kept = (await lease(engine, *pointers(new))).taken
        await engine.shift(first.id, "lease_until", PAST)
        [second] = (await lease(engine, Pointer(first.id, 1))).taken

        assert await begin(engine, first, kept) == {kept.id}

        assert await engine.attempts(first.id) == []
        assert await begin(engine, second) == {second.id}

    async def test_nobody_begins_after_the_end_of_the_lease(self, engine: Engine) -> None:
        taken = await leased(engine, await engine.given())
        await engine.shift(taken.id, "lease_until", PAST)

        assert await begin(engine, taken) == frozenset()
        assert await engine.attempts(taken.id) == []

    async def test_a_lease_begins_once(self, engine: Engine) -> None:
        taken = await leased(engine, await engine.given())

        assert await begin(engine, taken) == {taken.id}
        assert await begin(engine, taken) == frozenset()

    async def test_nothing_to_begin_is_nothing(self, engine: Engine) -> None:
        assert await begin(engine) == frozenset()

    async def test_after_a_lost_worker_it_is_queued_before_it_is_sent_again(self, engine: Engine) -> None:
        again = await lose_worker(engine, await leased(engine, await engine.given()))

        assert await begin(engine, again)

        assert await engine.history(again.id) == [
            ("queued", None),
            ("sending", None),
            ("unknown", "worker lost"),
            ("queued", None),
            ("sending", None),
        ]


class PostponeContract:
    """Subclasses have a fixture `engine`."""

    async def test_postponed_pointers_come_back_when_their_wait_is_over(self, engine: Engine) -> None:
        new, other = await engine.given(150), await engine.given(lane=Lane("sms", Priority.CRITICAL))
        wait = timedelta(seconds=9, milliseconds=200)
        store = engine.deliveries()

        made = await store.postpone(EMAIL, [NotDueYet(pointer, wait) for pointer in pointers(new)])
        made += await store.postpone(Lane("sms", Priority.CRITICAL), [NotDueYet(pointers(other)[0], wait)])

        assert [row.message for row in await engine.messages()] == sorted(made, key=lambda m: m.id)
        assert sorted((m.queue, m.priority, len(decode(m.body))) for m in made) == [
            ("deliver.email.medium", Priority.MEDIUM, 50),
            ("deliver.email.medium", Priority.MEDIUM, 100),
            ("deliver.sms.critical", Priority.CRITICAL, 1),
        ]
        now = (await lease(engine, Pointer(uuid4(), 1))).facts_at
        for message in made:
            assert message.due is not None
            assert timedelta(seconds=5) < message.due - now <= timedelta(seconds=10)
        assert (await engine.delivery(new.deliveries[0].id)).seq == 1

    async def test_nothing_to_postpone_is_nothing(self, engine: Engine) -> None:
        assert await engine.deliveries().postpone(EMAIL, []) == []
