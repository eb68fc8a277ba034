"""What must hold of dead letters: written, sent again, put aside, moved back by hand, shown."""

from datetime import timedelta

from application.dead_letter.ports import DeadLetterStatus, GivenUp, Selection
from application.delivery.ports import BROKER_UI, Leased
from application.outbox.pointers import Pointer, decode
from domain.delivery.cause import cause, fingerprint
from domain.delivery.delivery import DeliveryStatus
from domain.kernel.channel import Lane, Mode, Priority
from domain.notification.rollup import Counts, NotificationStatus
from tests.contract.engine import Engine
from tests.contract.leasing import begin, lease, leased, lose_worker
from tests.contract.settling import CALLED, called, settle
from tests.support.accepting import IDS, pointers

S = DeliveryStatus
LIVE = Selection(mode="live")


async def failed(engine: Engine, reason: str = "550 no such user", **changes: object) -> Leased:
    """A delivery that was given up after a call; its message has left the outbox."""
    taken = await called(engine, await engine.given(**changes))
    await settle(engine, taken, S.FAILED, outcome="refused", reason=reason, counts=True)
    await engine.outbox().delete([row.message.id for row in await engine.messages()])
    return taken


def letter(taken: Leased) -> Pointer:
    """The pointer that lies in the `.dlq`."""
    return Pointer(taken.id, taken.seq + 1)


class BuryContract:
    """Subclasses have a fixture `engine`."""

    async def test_what_cannot_be_worked_on_is_a_dead_letter_like_any_other(self, engine: Engine) -> None:
        new = await engine.given(lane=Lane("sms", Priority.HIGH))
        [pointer] = pointers(new)

        given_up = await engine.letters().give_up([pointer, pointer], "KeyError: 42")

        [message] = given_up.messages
        assert given_up.busy == []

        assert (message.queue, decode(message.body)) == (
            "deliver.sms.high.dlq",
            [Pointer(pointer.delivery, 2)],
        )
        assert (await engine.messages())[0].message == message
        row = await engine.delivery(pointer.delivery)
        assert (row.status, row.seq, row.reason) == (S.FAILED, 2, "KeyError: 42")
        [dead] = await engine.dead_letters(row.id)
        assert (dead.seq, dead.reason, dead.attempts, dead.closed_at) == (2, "KeyError: 42", 0, None)
        assert await engine.history(row.id) == [("queued", None), ("failed", "KeyError: 42")]
        await engine.assert_counted(new.id)

    async def test_who_holds_it_can_neither_begin_nor_settle_any_more(self, engine: Engine) -> None:
        taken = await leased(engine, await engine.given())

        assert (await engine.letters().give_up([Pointer(taken.id, taken.seq)], "a bug")).messages

        assert await begin(engine, taken) == frozenset()
        assert (await settle(engine, taken, S.CANCELLED)).overtaken == [taken.id]
        assert (await engine.delivery(taken.id)).status is S.FAILED

    async def test_a_call_under_way_and_a_stale_pointer_are_left_alone(self, engine: Engine) -> None:
        taken = await called(engine)
        sent = await called(engine)
        await settle(engine, sent, S.SENT, outcome="accepted")

        busy = Pointer(taken.id, taken.seq)
        wanted = [busy, Pointer(sent.id, sent.seq), Pointer(taken.id, 9), Pointer(taken.notification, 1)]
        assert await engine.letters().give_up(wanted, "a bug") == GivenUp([], [busy])
        assert (await settle(engine, taken, S.SENT, outcome="accepted")).overtaken == []

    async def test_after_a_lost_worker_the_history_stays_legal(self, engine: Engine) -> None:
        again = await lose_worker(engine, await leased(engine, await engine.given()))

        assert (await engine.letters().give_up([Pointer(again.id, again.seq)], "a bug")).messages

        statuses = [status for status, _ in await engine.history(again.id)]
        assert statuses == ["queued", "sending", "unknown", "failed"]


class ReplayContract:
    """Subclasses have a fixture `engine`."""

    async def test_a_replay_begins_a_new_epoch(self, engine: Engine) -> None:
        taken = await failed(engine)

        reopened = await engine.letters().replay([letter(taken), letter(taken)], "ada")

        assert reopened.deliveries == [taken.id]
        [message] = reopened.messages
        assert (message.queue, decode(message.body)) == (
            Lane(taken.channel, taken.priority).queue,
            [Pointer(taken.id, taken.seq + 2)],
        )
        [dead] = await engine.dead_letters(taken.id)
        assert (dead.closed_by, dead.resolution) == ("ada", "replayed")
        assert dead.closed_at is not None
        row = await engine.delivery(taken.id)
        assert (row.status, row.epoch, row.attempts_counted, row.reason) == (S.QUEUED, 1, 0, None)
        assert await engine.history(row.id) == [
            *CALLED,
            ("failed", "550 no such user"),
            ("queued", "replayed"),
        ]
        assert await engine.actors(row.id) == [None, None, None, "ada"]
        stand = await engine.stand(taken.notification)
        assert stand is not None
        assert (stand.status, stand.counts) == (NotificationStatus.QUEUED, Counts(open=1))
        [again] = (await lease(engine, Pointer(row.id, row.seq))).taken
        assert again.accepted_at == row.epoch_at
        assert again.accepted_at > taken.accepted_at, "its deadline counts anew"

    async def test_what_died_again_is_a_letter_of_its_own(self, engine: Engine) -> None:
        taken = await failed(engine)
        await engine.letters().replay([letter(taken)], "ada")
        [again] = (await lease(engine, Pointer(taken.id, taken.seq + 2))).taken
        await begin(engine, again)
        await settle(engine, again, S.FAILED, outcome="refused", reason="still", counts=True)

        assert [row.resolution for row in await engine.dead_letters(taken.id)] == ["replayed", None]
        assert (await engine.letters().replay([letter(taken)], "ada")).deliveries == []
        assert (await engine.letters().replay([letter(again)], "ada")).deliveries == [taken.id]
        await engine.assert_counted(taken.notification)

    async def test_a_discarded_letter_stays_closed(self, engine: Engine) -> None:
        taken = await failed(engine)

        assert await engine.letters().discard([letter(taken)], "ada", "left the shop") == [taken.id]

        assert await engine.letters().discard([letter(taken)], "bob", "me too") == []
        assert (await engine.letters().replay([letter(taken)], "bob")).deliveries == []
        [dead] = await engine.dead_letters(taken.id)
        assert (dead.closed_by, dead.resolution, dead.note) == ("ada", "discarded", "left the shop")
        assert (await engine.delivery(taken.id)).status is S.FAILED

    async def test_of_a_cancelled_notification_nothing_is_sent_again(self, engine: Engine) -> None:
        new = await engine.given(2)
        one, other = (await lease(engine, *pointers(new))).taken
        await begin(engine, one)
        await settle(engine, one, S.FAILED, outcome="refused", reason="gone", counts=True)
        await settle(engine, other, S.QUEUED)
        assert await engine.cancelling().mark(new.id, "live")

        assert (await engine.letters().replay([letter(one)], "ada")).deliveries == []
        [dead] = await engine.dead_letters(one.id)
        assert (dead.resolution, dead.note) == ("discarded", "cancelled")

    async def test_what_failed_after_the_cancel_is_put_aside_when_somebody_sends_it_again(
        self, engine: Engine
    ) -> None:
        new = await engine.given(3)
        moved, chosen, left = (await lease(engine, *pointers(new))).taken
        assert await engine.cancelling().mark(new.id, Mode.LIVE)
        for taken in (moved, chosen, left):
            assert await begin(engine, taken)
            await settle(engine, taken, S.FAILED, outcome="refused", reason="gone", counts=True)

        leases = await lease(engine, letter(moved))
        reopened = await engine.letters().replay([letter(chosen)], "ada")

        assert (leases.taken, leases.later, leases.replayed) == ([], [], 0)
        assert reopened.deliveries == []
        for taken in (moved, chosen):
            [dead] = await engine.dead_letters(taken.id)
            assert (dead.closed_by, dead.resolution, dead.note) == (None, "discarded", "cancelled")
            assert (await engine.delivery(taken.id)).status is S.FAILED
        [dead] = await engine.dead_letters(left.id)
        assert dead.closed_at is None

    async def test_a_pointer_moved_back_to_its_lane_is_a_replay(self, engine: Engine) -> None:
        taken = await failed(engine)

        leases = await lease(engine, letter(taken), letter(taken), Pointer(taken.id, taken.seq))

        assert (leases.taken, leases.later, leases.replayed) == ([], [], 1)
        assert [decode(m.body) for m in leases.messages] == [[Pointer(taken.id, taken.seq + 2)]]
        assert await engine.actors(taken.id) == [None, None, None, BROKER_UI]
        assert (await lease(engine, letter(taken))).replayed == 0, "it is stale now"

    async def test_an_old_pointer_never_looks_like_a_replay(self, engine: Engine) -> None:
        taken = await failed(engine)
        await engine.letters().discard([letter(taken)], "ada", "enough")
        late = await failed(engine)

        leases = await lease(engine, letter(taken), Pointer(late.id, late.seq))

        assert (leases.taken, leases.replayed) == ([], 0)
        assert (await engine.delivery(late.id)).status is S.FAILED


class AbandonContract:
    """Subclasses have a fixture `engine`."""

    async def test_workers_that_die_in_a_row_are_counted_until_something_is_decided(
        self, engine: Engine
    ) -> None:
        taken = await leased(engine, await engine.given())
        for count in (1, 2):
            await engine.shift(taken.id, "lease_until", timedelta(seconds=-1))
            [taken] = (await lease(engine, Pointer(taken.id, taken.seq), strikes_max=9)).taken
            assert (taken.strikes, taken.interrupted) == (count, False)
        taken = await lose_worker(engine, taken)
        assert (taken.strikes, taken.interrupted) == (3, True)
        await settle(engine, taken, S.QUEUED)
        [taken] = (await lease(engine, Pointer(taken.id, taken.seq + 1))).taken
        assert taken.strikes == 0


class LetterReaderContract:
    """Subclasses have a fixture `engine`."""

    async def test_letters_are_grouped_by_their_cause(self, engine: Engine) -> None:
        for user in ("ada", "bob", "eve"):
            await failed(engine, f"550 5.1.1 <{user}@example.com>: no such user")
        other = await failed(engine, "554 blocked", lane=Lane("sms", Priority.LOW))

        groups = await engine.letter_reader().groups(LIVE, None, 10)

        assert [(group.count, group.channel, group.provider) for group in groups] == [
            (3, "email", "smtp"),
            (1, "sms", "smtp"),
        ]
        assert groups[0].reason == "550 5.1.1 <eve@example.com>: no such user"
        assert groups[0].fingerprint == fingerprint("email", "smtp", cause(groups[0].reason))
        [only] = await engine.letter_reader().page(
            Selection(mode="live", fingerprint=groups[1].fingerprint), None, 10
        )
        assert (only.delivery, only.seq, only.priority, only.reason) == (
            other.id,
            other.seq + 1,
            "low",
            "554 blocked",
        )

    async def test_what_is_selected_is_what_is_counted(self, engine: Engine) -> None:
        first = await failed(engine, type="welcome")
        second = await failed(engine, lane=Lane("push", Priority.MEDIUM))
        test = await failed(engine, mode=Mode.TEST)
        await engine.letters().discard([letter(first)], "ada", "old")
        [row] = await engine.dead_letters(second.id)
        reader = engine.letter_reader()
        for wanted, expected in (
            (LIVE, [second]),
            (Selection(mode="test"), [test]),
            (Selection(mode="live", status=DeadLetterStatus.DISCARDED), [first]),
            (Selection(mode="live", channel="push"), [second]),
            (Selection(mode="live", channel="email"), []),
            (Selection(mode="live", provider="smtp"), [second]),
            (Selection(mode="live", type="welcome", status=DeadLetterStatus.DISCARDED), [first]),
            (Selection(mode="live", status=DeadLetterStatus.REPLAYED), []),
            (Selection(mode="live", notification=second.notification), [second]),
            (Selection(mode="live", deliveries=(first.id, second.id)), [second]),
            (Selection(mode="live", since=row.created_at), [second]),
            (Selection(mode="live", until=row.created_at), []),
        ):
            assert [each.delivery for each in await reader.page(wanted, None, 10)] == [
                taken.id for taken in expected
            ], wanted
            assert await reader.count(wanted) == len(expected), wanted

    async def test_pages_of_groups_meet(self, engine: Engine) -> None:
        for count, reason in ((2, "a"), (1, "b"), (1, "c"), (3, "d")):
            for _ in range(count):
                await failed(engine, reason)
        reader = engine.letter_reader()
        everything = await reader.groups(LIVE, None, 10)
        assert [group.count for group in everything] == [3, 2, 1, 1]
        found = await reader.groups(LIVE, None, 3)
        rest = await reader.groups(LIVE, (found[-1].count, found[-1].fingerprint), 3)
        assert [*found, *rest] == everything

    async def test_a_pointer_is_needed_while_its_letter_is_open_or_its_delivery_waits(
        self, engine: Engine
    ) -> None:
        dead, discarded, replayed = [await failed(engine) for _ in range(3)]
        await engine.letters().discard([letter(discarded)], "ada", "enough")
        await engine.letters().replay([letter(replayed)], "ada")
        [waiting] = pointers(await engine.given())
        working = await leased(engine, await engine.given())
        now = [
            letter(dead),
            Pointer(replayed.id, replayed.seq + 2),
            waiting,
            Pointer(working.id, working.seq),
        ]
        stale = [
            letter(discarded),
            letter(replayed),
            Pointer(dead.id, dead.seq),
            Pointer(waiting.delivery, 9),
            Pointer(IDS.next(), 1),
        ]

        assert await engine.letter_reader().needed([*now, *stale]) == frozenset(now)
        assert await engine.letter_reader().needed([]) == frozenset()

    async def test_pages_meet(self, engine: Engine) -> None:
        made = [await failed(engine) for _ in range(5)]
        reader = engine.letter_reader()
        first = await reader.page(LIVE, None, 2)
        last = first[-1]
        rest = await reader.page(LIVE, (last.created_at, last.delivery, last.seq), 10)
        assert [each.delivery for each in (*first, *rest)] == [taken.id for taken in reversed(made)]
