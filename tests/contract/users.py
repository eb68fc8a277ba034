"""What a `Users` must do."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from application.user.ports import User, Users
from domain.kernel.channel import Mode

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def user(**changes: Any) -> User:
    """A customer with a key of their own."""
    known = {"id": uuid4(), "guest": False, "data_key": uuid4().bytes, "profile": b"sealed"}
    return User(**(known | changes))


async def only(users: Users, who: UUID) -> User:
    """The row of one user who must be there."""
    return (await users.get([who]))[who]


class UsersContract:
    """Subclasses have a fixture `people`: a store without users."""

    async def test_a_new_person_is_read_back(self, users: Users) -> None:
        new = user(
            email_index=b"e", phone_index=b"p", locale="de-DE", timezone="Europe/Berlin", source_time=NOON
        )

        assert await users.put([new]) == {new.id: True}

        row = await only(users, new.id)
        assert row.version == 1
        assert row.created_at == row.updated_at
        assert msgspec.structs.replace(row, created_at=None, updated_at=None) == new

    async def test_who_is_unknown_is_not_there(self, users: Users) -> None:
        known = user()
        await users.put([known])

        assert set(await users.get([known.id, uuid4()])) == {known.id}
        assert await users.get([]) == {}

    async def test_an_update_replaces_all_and_raises_the_version(self, users: Users) -> None:
        first = user(guest=True, email_index=b"e", locale="de")
        await users.put([first])
        created = (await only(users, first.id)).created_at

        changed = msgspec.structs.replace(first, guest=False, profile=b"other", email_index=None, locale=None)
        assert await users.put([changed]) == {first.id: True}

        row = await only(users, first.id)
        assert (row.version, row.guest, row.profile, row.email_index, row.locale) == (
            2,
            False,
            b"other",
            None,
            None,
        )
        assert row.created_at == created
        assert row.updated_at is not None
        assert created is not None
        assert row.updated_at >= created

    async def test_a_profile_sealed_under_another_key_is_not_written(self, users: Users) -> None:
        known = user()
        await users.put([known])

        stranger = msgspec.structs.replace(known, data_key=b"another", profile=b"unreadable")
        assert await users.put([stranger]) == {known.id: False}
        assert (await only(users, known.id)).profile == b"sealed"

    async def test_an_older_event_does_not_overwrite_a_newer_one(self, users: Users) -> None:
        known = user(source_time=NOON)
        await users.put([known])

        def said(at: datetime | None, profile: bytes) -> list[User]:
            return [msgspec.structs.replace(known, source_time=at, profile=profile)]

        assert await users.put(said(NOON - MINUTE, b"older")) == {known.id: False}
        assert await users.put(said(NOON, b"again")) == {known.id: True}
        assert await users.put(said(None, b"by hand")) == {known.id: True}
        assert await users.put(said(NOON - MINUTE, b"still older")) == {known.id: False}
        assert await users.put(said(NOON + MINUTE, b"newer")) == {known.id: True}

        row = await only(users, known.id)
        assert (row.profile, row.source_time) == (b"newer", NOON + MINUTE)

    @pytest.mark.parametrize("year", [1, 1970, 2300, 9999])
    async def test_a_time_that_cannot_be_holds_nothing_up(self, users: Users, year: int) -> None:
        """An earlier release wrote such."""
        known = user(source_time=datetime(year, 1, 1, tzinfo=UTC))
        await users.put([known])

        def said(at: datetime | None) -> list[User]:
            return [msgspec.structs.replace(known, source_time=at)]

        assert await users.put(said(None)) == {known.id: True}
        assert (await only(users, known.id)).source_time is None
        assert await users.put([known]) == {known.id: True}
        assert await users.put(said(NOON)) == {known.id: True}
        assert (await only(users, known.id)).source_time == NOON

    async def test_expected_is_the_version_that_the_caller_has_seen(self, users: Users) -> None:
        known = user()

        assert await users.put([known], expected=1) == {known.id: False}
        assert await users.get([known.id]) == {}
        assert await users.put([known], expected=0) == {known.id: True}
        assert await users.put([known], expected=0) == {known.id: False}
        assert await users.put([known], expected=2) == {known.id: False}
        assert await users.put([known], expected=1) == {known.id: True}
        assert (await only(users, known.id)).version == 2

    async def test_one_that_is_refused_does_not_stop_the_others(self, users: Users) -> None:
        known, new = user(), user()
        await users.put([known])

        moved = msgspec.structs.replace(known, data_key=b"another")
        assert await users.put([moved, new]) == {known.id: False, new.id: True}
        assert await users.put([]) == {}

    async def test_of_writers_with_different_keys_one_wins(self, users: Users) -> None:
        who = uuid4()
        racers = [user(id=who, profile=bytes([n])) for n in range(20)]

        written = await asyncio.gather(*(users.put([racer]) for racer in racers))

        winners = [racer for racer, answer in zip(racers, written, strict=True) if answer[who]]
        row = await only(users, who)
        assert [(w.data_key, w.profile) for w in winners] == [(row.data_key, row.profile)]

    async def test_batches_in_opposite_orders_do_not_block_each_other(self, users: Users) -> None:
        crowd = [user() for _ in range(200)]

        answers = await asyncio.gather(*(users.put(crowd[:: 1 if n % 2 else -1]) for n in range(8)))

        assert all(all(answer.values()) for answer in answers)
        assert {row.version for row in (await users.get([p.id for p in crowd])).values()} == {8}

    async def test_erasing_leaves_nothing_that_tells_who_it_was(self, users: Users) -> None:
        known = user(
            email_index=b"e", phone_index=b"p", locale="de", timezone="Europe/Berlin", source_time=NOON
        )
        await users.put([known])

        other = user()
        await users.put([other])
        assert await users.erase([known.id, uuid4(), known.id]) == 1
        assert await users.erase([known.id]) == 0
        assert await users.erase([]) == 0

        row = await only(users, known.id)
        assert (row.data_key, row.profile, row.email_index, row.phone_index) == (None, None, None, None)
        assert (row.locale, row.timezone) == (None, None)
        assert row.version == 2
        assert [row.id for row in await users.page(None, 10, mode=None)] == [other.id]

    async def test_an_erased_person_comes_back_with_a_new_key(self, users: Users) -> None:
        known = user()
        await users.put([known])
        await users.erase([known.id])

        again = msgspec.structs.replace(known, data_key=b"new", profile=b"new")
        assert await users.put([again], expected=0) == {known.id: True}

        row = await only(users, known.id)
        assert (row.data_key, row.profile, row.version) == (b"new", b"new", 3)
        assert await users.erase([known.id]) == 1

    async def test_what_was_said_before_the_erasure_brings_nobody_back(self, users: Users) -> None:
        known = user(source_time=NOON)
        await users.put([known])
        await users.erase([known.id])
        erased_at = (await only(users, known.id)).updated_at
        assert erased_at is not None

        late = msgspec.structs.replace(known, data_key=b"new", source_time=erased_at - MINUTE)
        assert await users.put([late]) == {known.id: False}
        later = msgspec.structs.replace(late, source_time=erased_at + MINUTE)
        assert await users.put([later]) == {known.id: True}

    async def test_pages_are_in_id_order_behind_a_person(self, users: Users) -> None:
        crowd = sorted((user() for _ in range(5)), key=lambda p: p.id)
        await users.put(crowd[::-1])
        ids = [p.id for p in crowd]

        assert [p.id for p in await users.page(None, 3, mode=Mode.LIVE)] == ids[:3]
        assert [p.id for p in await users.page(ids[2], 3, mode=Mode.LIVE)] == ids[3:]
        assert await users.page(ids[-1], 3, mode=Mode.LIVE) == []

    async def test_a_page_by_address(self, users: Users) -> None:
        one, two, other = (
            user(email_index=b"same"),
            user(email_index=b"same"),
            user(email_index=b"other"),
        )
        await users.put([one, two, other])

        found = await users.page(None, 10, mode=Mode.LIVE, email_index=b"same")
        assert [p.id for p in found] == sorted([one.id, two.id])
        assert [p.id for p in await users.page(found[0].id, 10, mode=Mode.LIVE, email_index=b"same")] == [
            found[1].id
        ]

    async def test_a_page_by_number(self, users: Users) -> None:
        one, other = user(phone_index=b"same"), user(phone_index=b"other")
        await users.put([one, other])
        assert [p.id for p in await users.page(None, 10, mode=None, phone_index=b"same")] == [one.id]

    async def test_persons_of_tests_are_apart(self, users: Users) -> None:
        live = user(email_index=b"same")
        test = user(email_index=b"same", mode=Mode.TEST)
        await users.put([live, test])

        assert (await only(users, test.id)).mode is Mode.TEST
        for mode, there in ((Mode.LIVE, {live.id}), (Mode.TEST, {test.id}), (None, {live.id, test.id})):
            assert {p.id for p in await users.page(None, 10, mode=mode)} == there
            assert {p.id for p in await users.page(None, 10, mode=mode, email_index=b"same")} == there

        await users.erase([test.id])
        assert (await only(users, test.id)).mode is Mode.TEST
