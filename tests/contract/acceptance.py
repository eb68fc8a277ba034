"""What an `Acceptance` must do."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import msgspec
import pytest

from application.notification.ports import (
    Committed,
    Created,
    Duplicate,
    KeysChanged,
    LegacyKey,
    NewNotification,
    NewUser,
)
from application.outbox.pointers import decode
from domain.kernel.channel import Lane, Priority
from domain.kernel.errors import Invalid
from domain.notification.rollup import Counts, NotificationStatus
from tests.contract.engine import Engine
from tests.contract.leasing import leased
from tests.support.accepting import IDS, notification, pack, pointers, user

REFUSED = {
    "a NUL in a word": {"type": "order\0created"},
    "half a surrogate pair in a word": {"created_by": "shop \ud83d"},
    "a NUL in the metadata": {"metadata": b'{"a": ["\\u0000"]}'},
    "half a surrogate pair in the metadata": {"metadata": b'{"\\ud83d": 1}'},
    "a number without end": {"metadata": b'{"a": 1e999999}'},
    "metadata that are no JSON": {"metadata": b"{"},
    "metadata that are no text": {"metadata": b'{"a": "\xff"}'},
}


def everybody(*users: NewUser) -> list[NewUser]:
    return sorted(users, key=lambda p: p.id)


class AcceptanceContract:
    """Subclasses have a fixture `engine`."""

    async def accept(self, engine: Engine, given: Sequence[NewNotification], *users: NewUser) -> Committed:
        return await engine.acceptance().accept(given, everybody(*users), pack)

    async def test_a_batch_is_there_whole(self, engine: Engine) -> None:
        ada, bob = everybody(user(), user())
        two = notification(
            ada, bob, lane=Lane("sms", Priority.CRITICAL), metadata=b'{"order": 7}', key=uuid4()
        )
        one = notification(bob)

        committed = await self.accept(engine, [two, one], ada, bob)

        assert committed.results == [Created(two.id), Created(one.id)]
        for given, total in ((two, 2), (one, 1)):
            stand = await engine.stand(given.id)
            assert stand is not None
            assert (stand.status, stand.counts) == (NotificationStatus.QUEUED, Counts(open=total))
            for new in given.deliveries:
                row = await engine.delivery(new.id)
                assert (row.notification_id, row.user_id, row.status) == (given.id, new.user, "queued")
                assert (row.seq, row.attempt, row.attempts_counted, row.content_key) == (
                    1,
                    0,
                    0,
                    new.content_key,
                )
                assert (row.channel, row.priority, row.slot) == (
                    given.lane.channel,
                    given.lane.priority,
                    new.slot,
                )
                assert row.created_at == given.created_at
                assert await engine.history(new.id) == [("queued", None)]
        assert await engine.acceptance().keys([ada.id, bob.id, uuid4()]) == {
            ada.id: ada.data_key,
            bob.id: bob.data_key,
        }

    async def test_acceptance_has_the_databases_time(self, engine: Engine) -> None:
        """Whatever the clock of the process says that minted the id: deadlines begin here."""
        ada, now = user(), datetime.now(UTC)
        far = timedelta(minutes=20)
        given = {
            n: notification(ada, created_at=now + asked, from_intake=from_intake)
            for n, (asked, from_intake) in enumerate(
                [(-far, False), (far, False), (-timedelta(seconds=2), False), (-far, True), (far, True)]
            )
        }

        await self.accept(engine, list(given.values()), ada)

        ages = []
        for new in given.values():
            taken = await leased(engine, new)
            row = await engine.delivery(new.deliveries[0].id)
            assert taken.accepted_at == row.created_at
            ages.append((now - taken.accepted_at).total_seconds())
        assert ages == [
            pytest.approx(5, abs=4),
            pytest.approx(0, abs=4),
            pytest.approx(2, abs=0.001),
            pytest.approx(far.total_seconds(), abs=0.001),
            pytest.approx(0, abs=4),
        ]

    async def test_its_messages_are_there_with_it(self, engine: Engine) -> None:
        ada = user()
        new = notification(ada)

        committed = await self.accept(engine, [new], ada)

        [row] = await engine.messages()
        assert [row.message] == committed.messages
        assert (row.owner, decode(row.message.body)) == (engine.me, pointers(new))

    async def test_a_key_that_stands_absorbs_what_comes_later(self, engine: Engine) -> None:
        ada, key = user(), uuid4()
        first = notification(ada, key=key)
        await self.accept(engine, [first], ada)

        again = notification(ada, key=key)
        other = notification(ada, key=key, fingerprint=b"o" * 16)
        assert (await self.accept(engine, [again], ada)).results == [Duplicate(first.id, first.fingerprint)]
        assert (await self.accept(engine, [other], ada)).results == [Duplicate(first.id, first.fingerprint)]

        assert await engine.stand(again.id) is None
        assert len(await engine.messages()) == 1

    async def test_a_key_of_an_earlier_release_counts_and_a_doubtful_one_for_its_command_alone(
        self, engine: Engine
    ) -> None:
        ada = user()
        before = [notification(ada, key=uuid4(), fingerprint=bytes([n]) * 16) for n in range(3)]
        for each in before:
            await self.accept(engine, [each], ada)
        sure, same, other = (each.key for each in before)
        batch = [
            notification(ada, key=uuid4(), legacy_key=LegacyKey(sure)),
            notification(ada, key=uuid4(), legacy_key=LegacyKey(same, before[1].fingerprint)),
            notification(ada, key=uuid4(), legacy_key=LegacyKey(other, b"o" * 16)),
            notification(ada, key=uuid4(), legacy_key=LegacyKey(uuid4())),
        ]

        results = (await self.accept(engine, batch, ada)).results

        assert results == [
            Duplicate(before[0].id, before[0].fingerprint),
            Duplicate(before[1].id, before[1].fingerprint),
            Created(batch[2].id),
            Created(batch[3].id),
        ]
        again = [msgspec.structs.replace(each, id=IDS.next(), deliveries=()) for each in batch[2:]]
        results = (await self.accept(engine, again, ada)).results
        assert results == [Duplicate(each.id, each.fingerprint) for each in batch[2:]]

    async def test_what_is_absorbed_leaves_its_neighbours_alone(self, engine: Engine) -> None:
        ada, key = user(), uuid4()
        first = notification(ada, key=key)
        await self.accept(engine, [first], ada)
        batch = [notification(ada, key=uuid4()), notification(ada, key=key), notification(ada)]

        committed = await self.accept(engine, batch, ada)

        assert committed.results == [
            Created(batch[0].id),
            Duplicate(first.id, first.fingerprint),
            Created(batch[2].id),
        ]
        packed = [p.delivery for m in committed.messages for p in decode(m.body)]
        assert packed == [batch[0].deliveries[0].id, batch[2].deliveries[0].id]

    async def test_accepting_again_after_a_lost_answer_changes_nothing(self, engine: Engine) -> None:
        ada = user()
        batch = [notification(ada, key=uuid4()), notification(ada)]
        first = await self.accept(engine, batch, ada)

        second = await self.accept(engine, batch, ada)

        assert second == Committed(first.results, [])
        assert len(await engine.messages()) == len(first.messages)
        for new in batch:
            await engine.assert_counted(new.id)
            assert await engine.history(new.deliveries[0].id) == [("queued", None)]

    async def test_of_fifty_at_once_with_one_key_one_wins(self, engine: Engine) -> None:
        ada, key = user(), uuid4()
        await self.accept(engine, [], ada)
        batch = [notification(ada, key=key) for _ in range(50)]

        committed = await asyncio.gather(*(self.accept(engine, [new], ada) for new in batch))

        results = [c.results[0] for c in committed]
        [winner] = [v.notification for v in results if isinstance(v, Created)]
        assert [v for v in results if not isinstance(v, Created)] == [
            Duplicate(winner, batch[0].fingerprint)
        ] * 49
        assert [new.id for new in batch if await engine.stand(new.id)] == [winner]

    async def test_the_same_keys_in_opposite_order_do_not_deadlock(self, engine: Engine) -> None:
        ada = user()
        await self.accept(engine, [], ada)
        for _ in range(20):
            keys = [uuid4() for _ in range(20)]
            batches = [[notification(ada, key=key) for key in order] for order in (keys, keys[::-1])]

            committed = await asyncio.gather(*(self.accept(engine, batch, ada) for batch in batches))

            created = [v.notification for c in committed for v in c.results if isinstance(v, Created)]
            assert len(created) == len(keys)

    async def test_another_key_of_a_known_person_refuses_the_batch(self, engine: Engine) -> None:
        ada, bob = user(), user()
        await self.accept(engine, [], ada)
        other = msgspec.structs.replace(ada, data_key=uuid4().bytes)
        new = notification(ada, bob)

        with pytest.raises(KeysChanged):
            await self.accept(engine, [new], other, bob)

        assert await engine.stand(new.id) is None
        assert await engine.acceptance().keys([ada.id, bob.id]) == {ada.id: ada.data_key}

    async def test_of_two_that_bring_a_new_person_one_seals_again(self, engine: Engine) -> None:
        who = uuid4()
        users = [user(id=who) for _ in range(8)]

        committed = await asyncio.gather(
            *(self.accept(engine, [notification(p)], p) for p in users), return_exceptions=True
        )

        refused = [c for c in committed if isinstance(c, BaseException)]
        assert [type(c) for c in refused] == [KeysChanged] * 7
        [winner] = [p for p, c in zip(users, committed, strict=True) if isinstance(c, Committed)]
        assert await engine.acceptance().keys([who]) == {who: winner.data_key}

    async def test_a_profile_is_written_when_one_is_given(self, engine: Engine) -> None:
        guest = user(guest=True, profile=b"one", email_index=b"e1", locale="de")
        await self.accept(engine, [], guest)
        await self.accept(
            engine, [], msgspec.structs.replace(guest, profile=None, email_index=None, locale=None)
        )
        assert await self._profile(engine, guest.id) == (True, b"one", b"e1", "de", 1)

        moved = msgspec.structs.replace(guest, profile=b"two", email_index=b"e2", locale="en")
        await self.accept(engine, [], moved)
        assert await self._profile(engine, guest.id) == (True, b"two", b"e2", "en", 2)

    async def test_an_erased_person_comes_back_under_a_new_key(self, engine: Engine) -> None:
        ada = user(profile=b"one")
        await self.accept(engine, [], ada)
        await engine.erase(ada.id)
        assert await engine.acceptance().keys([ada.id]) == {}

        back = user(id=ada.id)
        committed = await self.accept(engine, [notification(back)], back)

        assert isinstance(committed.results[0], Created)
        assert await engine.acceptance().keys([ada.id]) == {ada.id: back.data_key}

    @pytest.mark.parametrize("what", REFUSED)
    async def test_what_postgresql_has_no_room_for_is_invalid(self, engine: Engine, what: str) -> None:
        ada, key = user(), uuid4()
        good = notification(ada, key=key)
        bad = notification(ada, **REFUSED[what])

        with pytest.raises(Invalid):
            await self.accept(engine, [good, bad], ada)

        assert await engine.stand(good.id) is None
        assert await engine.acceptance().keys([ada.id]) == {}
        assert (await self.accept(engine, [good], ada)).results == [Created(good.id)]

    async def test_what_is_known_of_a_customer_stays(self, engine: Engine) -> None:
        ada = user(profile=None)
        await self.accept(engine, [], ada)
        inline = msgspec.structs.replace(ada, profile=b"inline", email_index=b"e1")
        await self.accept(engine, [], inline)  # nothing was known: better than nothing
        assert (await self._profile(engine, ada.id))[1:3] == (b"inline", b"e1")
        await self.accept(engine, [], msgspec.structs.replace(inline, profile=b"other", email_index=b"e2"))
        assert (await self._profile(engine, ada.id))[1:3] == (b"inline", b"e1")

    async def _profile(self, engine: Engine, who: UUID) -> tuple[object, ...]:
        row = await engine.user(who)
        assert row is not None
        return row.guest, row.profile, row.email_index, row.locale, row.version
