"""What a `People` must do."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from application.user.ports import People, Person
from domain.kernel.channel import Mode

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def person(**changes: Any) -> Person:
    """A customer with a key of their own."""
    known = {"id": uuid4(), "guest": False, "data_key": uuid4().bytes, "profile": b"sealed"}
    return Person(**(known | changes))


async def only(people: People, who: UUID) -> Person:
    """The row of one person who must be there."""
    return (await people.get([who]))[who]


class PeopleContract:
    """Subclasses have a fixture `people`: an empty mirror."""

    async def test_a_new_person_is_read_back(self, people: People) -> None:
        new = person(
            email_index=b"e", phone_index=b"p", locale="de-DE", timezone="Europe/Berlin", source_time=NOON
        )

        assert await people.put([new]) == {new.id: True}

        row = await only(people, new.id)
        assert row.version == 1
        assert row.created_at == row.updated_at
        assert msgspec.structs.replace(row, created_at=None, updated_at=None) == new

    async def test_who_is_unknown_is_not_there(self, people: People) -> None:
        known = person()
        await people.put([known])

        assert set(await people.get([known.id, uuid4()])) == {known.id}
        assert await people.get([]) == {}

    async def test_an_update_replaces_all_and_raises_the_version(self, people: People) -> None:
        first = person(guest=True, email_index=b"e", locale="de")
        await people.put([first])
        created = (await only(people, first.id)).created_at

        changed = msgspec.structs.replace(first, guest=False, profile=b"other", email_index=None, locale=None)
        assert await people.put([changed]) == {first.id: True}

        row = await only(people, first.id)
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

    async def test_a_profile_sealed_under_another_key_is_not_written(self, people: People) -> None:
        known = person()
        await people.put([known])

        stranger = msgspec.structs.replace(known, data_key=b"another", profile=b"unreadable")
        assert await people.put([stranger]) == {known.id: False}
        assert (await only(people, known.id)).profile == b"sealed"

    async def test_an_older_event_does_not_overwrite_a_newer_one(self, people: People) -> None:
        known = person(source_time=NOON)
        await people.put([known])

        def said(at: datetime | None, profile: bytes) -> list[Person]:
            return [msgspec.structs.replace(known, source_time=at, profile=profile)]

        assert await people.put(said(NOON - MINUTE, b"older")) == {known.id: False}
        assert await people.put(said(NOON, b"again")) == {known.id: True}
        assert await people.put(said(None, b"by hand")) == {known.id: True}
        assert await people.put(said(NOON - MINUTE, b"still older")) == {known.id: False}
        assert await people.put(said(NOON + MINUTE, b"newer")) == {known.id: True}

        row = await only(people, known.id)
        assert (row.profile, row.source_time) == (b"newer", NOON + MINUTE)

    @pytest.mark.parametrize("year", [1, 1970, 2300, 9999])
    async def test_a_time_that_cannot_be_holds_nothing_up(self, people: People, year: int) -> None:
        """An earlier release wrote such."""
        known = person(source_time=datetime(year, 1, 1, tzinfo=UTC))
        await people.put([known])

        def said(at: datetime | None) -> list[Person]:
            return [msgspec.structs.replace(known, source_time=at)]

        assert await people.put(said(None)) == {known.id: True}
        assert (await only(people, known.id)).source_time is None
        assert await people.put([known]) == {known.id: True}
        assert await people.put(said(NOON)) == {known.id: True}
        assert (await only(people, known.id)).source_time == NOON

    async def test_expected_is_the_version_that_the_caller_has_seen(self, people: People) -> None:
        known = person()

        assert await people.put([known], expected=1) == {known.id: False}
        assert await people.get([known.id]) == {}
        assert await people.put([known], expected=0) == {known.id: True}
        assert await people.put([known], expected=0) == {known.id: False}
        assert await people.put([known], expected=2) == {known.id: False}
        assert await people.put([known], expected=1) == {known.id: True}
        assert (await only(people, known.id)).version == 2

    async def test_one_that_is_refused_does_not_stop_the_others(self, people: People) -> None:
        known, new = person(), person()
        await people.put([known])

        moved = msgspec.structs.replace(known, data_key=b"another")
        assert await people.put([moved, new]) == {known.id: False, new.id: True}
        assert await people.put([]) == {}

    async def test_of_writers_with_different_keys_one_wins(self, people: People) -> None:
        who = uuid4()
        racers = [person(id=who, profile=bytes([n])) for n in range(20)]

        written = await asyncio.gather(*(people.put([racer]) for racer in racers))

        winners = [racer for racer, answer in zip(racers, written, strict=True) if answer[who]]
        row = await only(people, who)
        assert [(w.data_key, w.profile) for w in winners] == [(row.data_key, row.profile)]

    async def test_batches_in_opposite_orders_do_not_block_each_other(self, people: People) -> None:
        crowd = [person() for _ in range(200)]

        answers = await asyncio.gather(*(people.put(crowd[:: 1 if n % 2 else -1]) for n in range(8)))

        assert all(all(answer.values()) for answer in answers)
        assert {row.version for row in (await people.get([p.id for p in crowd])).values()} == {8}

    async def test_erasing_leaves_nothing_that_tells_who_it_was(self, people: People) -> None:
        known = person(
            email_index=b"e", phone_index=b"p", locale="de", timezone="Europe/Berlin", source_time=NOON
        )
        await people.put([known])

        other = person()
        await people.put([other])
        assert await people.erase([known.id, uuid4(), known.id]) == 1
        assert await people.erase([known.id]) == 0
        assert await people.erase([]) == 0

        row = await only(people, known.id)
        assert (row.data_key, row.profile, row.email_index, row.phone_index) == (None, None, None, None)
        assert (row.locale, row.timezone) == (None, None)
        assert row.version == 2
        assert [row.id for row in await people.page(None, 10, mode=None)] == [other.id]

    async def test_an_erased_person_comes_back_with_a_new_key(self, people: People) -> None:
        known = person()
        await people.put([known])
        await people.erase([known.id])

        again = msgspec.structs.replace(known, data_key=b"new", profile=b"new")
        assert await people.put([again], expected=0) == {known.id: True}

        row = await only(people, known.id)
        assert (row.data_key, row.profile, row.version) == (b"new", b"new", 3)
        assert await people.erase([known.id]) == 1

    async def test_what_was_said_before_the_erasure_brings_nobody_back(self, people: People) -> None:
        known = person(source_time=NOON)
        await people.put([known])
        await people.erase([known.id])
        erased_at = (await only(people, known.id)).updated_at
        assert erased_at is not None

        late = msgspec.structs.replace(known, data_key=b"new", source_time=erased_at - MINUTE)
        assert await people.put([late]) == {known.id: False}
        later = msgspec.structs.replace(late, source_time=erased_at + MINUTE)
        assert await people.put([later]) == {known.id: True}

    async def test_pages_are_in_id_order_behind_a_person(self, people: People) -> None:
        crowd = sorted((person() for _ in range(5)), key=lambda p: p.id)
        await people.put(crowd[::-1])
        ids = [p.id for p in crowd]

        assert [p.id for p in await people.page(None, 3, mode=Mode.LIVE)] == ids[:3]
        assert [p.id for p in await people.page(ids[2], 3, mode=Mode.LIVE)] == ids[3:]
        assert await people.page(ids[-1], 3, mode=Mode.LIVE) == []

    async def test_a_page_by_address(self, people: People) -> None:
        one, two, other = (
            person(email_index=b"same"),
            person(email_index=b"same"),
            person(email_index=b"other"),
        )
        await people.put([one, two, other])

        found = await people.page(None, 10, mode=Mode.LIVE, email_index=b"same")
        assert [p.id for p in found] == sorted([one.id, two.id])
        assert [p.id for p in await people.page(found[0].id, 10, mode=Mode.LIVE, email_index=b"same")] == [
            found[1].id
        ]

    async def test_a_page_by_number(self, people: People) -> None:
        one, other = person(phone_index=b"same"), person(phone_index=b"other")
        await people.put([one, other])
        assert [p.id for p in await people.page(None, 10, mode=None, phone_index=b"same")] == [one.id]

    async def test_persons_of_tests_are_apart(self, people: People) -> None:
        live = person(email_index=b"same")
        test = person(email_index=b"same", mode=Mode.TEST)
        await people.put([live, test])

        assert (await only(people, test.id)).mode is Mode.TEST
        for mode, there in ((Mode.LIVE, {live.id}), (Mode.TEST, {test.id}), (None, {live.id, test.id})):
            assert {p.id for p in await people.page(None, 10, mode=mode)} == there
            assert {p.id for p in await people.page(None, 10, mode=mode, email_index=b"same")} == there

        await people.erase([test.id])
        assert (await only(people, test.id)).mode is Mode.TEST
