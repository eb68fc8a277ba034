"""The shop's customers in `users`: merging, order, addresses, races, erasure."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from adapters.addresses import LocalAddresses
from adapters.crypto.vault import LocalVault
from adapters.system import SystemClock
from application.privacy.sealing import open_profile, seal_profile
from application.user.ports import User, Users
from application.user.update import UpdateUsers
from domain.kernel.errors import StoreUnavailable
from domain.kernel.ids import derived_user_id
from domain.notification.request import Profile
from domain.user.update import UpdatedUser, UpdateOutcome, UserUpdate
from tests.support.memory.rows import MemoryRows
from tests.support.memory.users import MemoryUsers

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANN = Profile(
    user_id="456",
    email="ann@example.com",
    phone="+4930901820",
    name="Ann",
    locale="de-DE",
    timezone="Europe/Berlin",
)


@dataclass
class Racing:
    """Users among whom somebody else writes right before each of the first writes."""

    users: Users
    races: list[User] = field(default_factory=list)
    puts: int = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self.users, name)

    async def put(self, users: list[User], *, expected: int | None = None) -> dict[Any, bool]:
        self.puts += 1
        if self.races:
            await self.users.put([self.races.pop(0)])
        return await self.users.put(users, expected=expected)


class House:
    """The use case on real parts."""

    def __init__(self, users: Users) -> None:
        self.vault = LocalVault.from_master(b"m" * 32)
        self.users = Racing(users)
        self.update_users = UpdateUsers(
            users=self.users, vault=self.vault, addresses=LocalAddresses(), clock=SystemClock()
        )

    async def says(self, *updates: UserUpdate, **how: Any) -> list[UpdatedUser]:
        return await self.update_users(updates, **({"drop_invalid": True} | how))

    async def row(self, user: str = "456") -> User:
        who = derived_user_id(self.vault.index("user", user))
        return (await self.users.get([who]))[who]

    async def profile(self, user: str = "456") -> Profile:
        row = await self.row(user)
        assert row.data_key is not None
        assert row.profile is not None
        return open_profile(self.vault.unwrap(row.data_key, row.id), row.id, row.profile)


@pytest.fixture
def house() -> House:
    return House(MemoryUsers(rows=MemoryRows(SystemClock())))


def ann(**changes: Any) -> UserUpdate:
    return UserUpdate(**({name: getattr(ANN, name) for name in ANN.__struct_fields__} | changes))


def outcomes(answers: list[UpdatedUser]) -> list[str]:
    return [answer.outcome.value for answer in answers]


async def test_a_customer_is_sealed_and_found_by_index(house: House) -> None:
    [answer] = await house.says(ann(source_time=NOON))
    row = await house.row()
    assert answer == UpdatedUser(user=row.id, outcome=UpdateOutcome.WRITTEN)
    assert await house.profile() == ANN
    assert row.email_index == house.vault.index("email", "ann@example.com")
    assert row.phone_index == house.vault.index("phone", "+4930901820")
    assert (row.locale, row.timezone, row.source_time) == ("de-DE", "Europe/Berlin", NOON)
    assert row.profile is not None
    assert b"example" not in row.profile.lower()


async def test_what_an_update_does_not_speak_of_stays_and_null_clears(house: House) -> None:
    await house.says(ann())
    await house.says(UserUpdate(user_id="456", name="Ann B.", phone=None))
    assert await house.profile() == msgspec.structs.replace(ANN, name="Ann B.", phone=None)
    assert (await house.row()).phone_index is None


async def test_addresses_are_stored_in_their_one_spelling(house: House) -> None:
    await house.says(ann(email="Ann@Example.COM", phone="030 901820", locale="de_de", name=" Ann \r\n B. "))
    found = await house.profile()
    assert (found.email, found.phone, found.locale) == ("Ann@example.com", "+4930901820", "de-DE")
    assert (await house.row()).email_index == house.vault.index("email", "ann@example.com")
    assert found.name == "Ann B."


async def test_an_event_with_a_bad_address_keeps_the_rest_and_drops_the_old_one(house: House) -> None:
    await house.says(ann())
    [answer] = await house.says(ann(email="not an address", timezone="Mars/Olympus", name="New"))
    assert answer.outcome is UpdateOutcome.WRITTEN
    assert sorted(fault.code for fault in answer.faults) == ["bad_email", "bad_timezone"]
    found = await house.profile()
    assert (found.email, found.timezone, found.name, found.phone) == (None, None, "New", ANN.phone)


async def test_a_strict_caller_is_told_all_faults_and_nothing_is_written(house: House) -> None:
    [answer] = await house.says(ann(email="x", phone="x"), drop_invalid=False)
    assert answer.outcome is UpdateOutcome.INVALID
    assert sorted(fault.pointer for fault in answer.faults) == ["/email", "/phone"]
    assert await house.users.get([answer.user]) == {}


async def test_an_older_event_is_not_applied_and_the_same_again_is_harmless(house: House) -> None:
    await house.says(ann(source_time=NOON, name="noon"))
    older = await house.says(ann(source_time=NOON - timedelta(seconds=1), name="before"))
    same = await house.says(ann(source_time=NOON, name="noon"))
    assert outcomes(older + same) == ["outdated", "written"]
    assert (await house.profile()).name == "noon"


async def test_updates_of_one_person_in_one_batch_are_folded_and_written_once(house: House) -> None:
    answers = await house.says(
        ann(source_time=NOON, name="first"),
        UserUpdate(user_id="other", name="Other"),
        UserUpdate(user_id="456", name="second", source_time=NOON + timedelta(minutes=1)),
        UserUpdate(user_id="456", name="late", source_time=NOON - timedelta(minutes=1)),
    )
    assert outcomes(answers) == ["written", "written", "written", "outdated"]
    assert await house.profile() == msgspec.structs.replace(ANN, name="second")
    assert (await house.profile("other")).name == "Other"
    assert (await house.row()).version == 1
    assert house.users.puts == 1


async def test_a_field_is_not_lost_to_somebody_who_writes_meanwhile(house: House) -> None:
    await house.says(ann())
    row = await house.row()
    assert row.data_key is not None
    key = house.vault.unwrap(row.data_key, row.id)
    changed = msgspec.structs.replace(ANN, phone="+4930901821")
    house.users.races = [msgspec.structs.replace(row, profile=seal_profile(key, row.id, changed))]
    assert outcomes(await house.says(UserUpdate(user_id="456", name="New"))) == ["written"]
    assert await house.profile() == msgspec.structs.replace(changed, name="New")


async def test_a_row_that_appears_meanwhile_under_another_key_is_sealed_again(house: House) -> None:
    who = derived_user_id(house.vault.index("user", "456"))
    key = house.vault.wrap(house.vault.create(), who)
    house.users.races = [User(id=who, guest=False, data_key=key, profile=None)]
    assert outcomes(await house.says(ann())) == ["written"]
    assert (await house.row()).data_key == key
    assert await house.profile() == ANN


async def test_a_row_that_never_rests_is_said_to_the_caller(house: House) -> None:
    await house.says(ann())
    house.users.races = [await house.row() for _ in range(99)]
    with pytest.raises(StoreUnavailable, match="keep changing"):
        await house.says(ann(name="New"))


async def test_a_deleted_customer_is_erased(house: House) -> None:
    await house.says(ann())
    assert outcomes(await house.says(UserUpdate(user_id="456", deleted=True))) == ["deleted"]
    row = await house.row()
    assert (row.data_key, row.profile, row.email_index, row.locale) == (None, None, None, None)


async def test_a_deletion_wins_over_updates_of_its_batch(house: House) -> None:
    answers = await house.says(ann(), UserUpdate(user_id="456", deleted=True), ann(name="again"))
    assert outcomes(answers) == ["deleted"] * 3
    assert await house.users.page(None, 10, mode=None) == []


async def test_a_deletion_is_never_outdated(house: House) -> None:
    await house.says(ann(source_time=NOON))
    late = UserUpdate(user_id="456", deleted=True, source_time=NOON - timedelta(days=1))
    assert outcomes(await house.says(late)) == ["deleted"]
    assert (await house.row()).profile is None


NEVER = {
    "Go's zero time": "0001-01-01T00:00:00+00:00",
    "the same in the east": "0001-01-01T00:00:00+14:00",
    "zero seconds": "1970-01-01T00:00:00+00:00",
    "a century ahead": "2300-01-01T00:00:00+00:00",
    "the end of all times": "9999-12-31T23:59:59.999999+00:00",
    "the same in the west": "9999-12-31T23:59:59.999999-12:00",
    "next week": (SystemClock().now() + timedelta(days=7)).isoformat(),
}
never = pytest.mark.parametrize("time", NEVER.values(), ids=NEVER)


def timely(**changes: Any) -> UserUpdate:
    return ann(source_time=SystemClock().now() - timedelta(seconds=1), **changes)


@never
async def test_a_time_that_cannot_be_is_left_out_and_told(house: House, time: str) -> None:
    await house.says(timely(name="before"))
    at = (await house.row()).source_time
    [answer] = await house.says(ann(name="odd", source_time=datetime.fromisoformat(time)))
    assert (answer.outcome, [f.code for f in answer.faults]) == (UpdateOutcome.WRITTEN, ["unlikely_time"])
    assert (await house.profile()).name == "odd"
    assert (await house.row()).source_time == at

    assert outcomes(await house.says(timely(name="after"))) == ["written"]
    assert (await house.profile()).name == "after"


@never
async def test_it_makes_nobodys_next_update_outdated(house: House, time: str) -> None:
    """The first thing that is known of them, and in one batch with others."""
    odd = datetime.fromisoformat(time)
    answers = await house.says(
        ann(source_time=odd), timely(name="after"), UserUpdate(user_id="other", source_time=odd)
    )
    assert outcomes(answers) == ["written"] * 3
    assert (await house.profile()).name == "after"
    assert outcomes(await house.says(UserUpdate(user_id="other", name="B", source_time=NOON))) == ["written"]
    assert outcomes(await house.says(UserUpdate(user_id="456", deleted=True, source_time=odd))) == ["deleted"]


@never
async def test_it_brings_no_erased_person_back(house: House, time: str) -> None:
    await house.says(timely())
    await house.says(UserUpdate(user_id="456", deleted=True))
    assert outcomes(await house.says(ann(source_time=datetime.fromisoformat(time)))) == ["gone"]


@pytest.mark.parametrize("ahead", [timedelta(seconds=3), timedelta(hours=14)])
async def test_a_shop_whose_clock_is_ahead_is_taken_to_speak_of_now(house: House, ahead: timedelta) -> None:
    before = SystemClock().now()
    await house.says(ann(name="one", source_time=before + ahead))
    known = (await house.row()).source_time
    assert known is not None
    assert before <= known <= SystemClock().now()
    assert outcomes(await house.says(ann(name="two", source_time=before + ahead))) == ["written"]
    now = SystemClock().now()
    assert outcomes(await house.says(ann(name="three", source_time=now))) == ["written"]
    assert (await house.profile()).name == "three"


@pytest.mark.parametrize("at", [NOON, None])
async def test_what_was_said_before_the_erasure_brings_nobody_back(house: House, at: datetime | None) -> None:
    await house.says(ann())
    await house.says(UserUpdate(user_id="456", deleted=True))
    assert outcomes(await house.says(ann(source_time=at))) == ["gone"]
    assert (await house.row()).profile is None


async def test_a_customer_who_comes_back_later_has_a_new_key(house: House) -> None:
    await house.says(ann())
    before = (await house.row()).data_key
    await house.says(UserUpdate(user_id="456", deleted=True))
    tomorrow = SystemClock().now() + timedelta(days=1)
    assert outcomes(await house.says(UserUpdate(user_id="456", name="Ann", source_time=tomorrow))) == [
        "written"
    ]
    assert await house.profile() == Profile(user_id="456", name="Ann")
    assert (await house.row()).data_key not in (None, before)


async def test_who_names_a_version_writes_over_that_one_only(house: House) -> None:
    assert outcomes(await house.says(ann(), expected=1, drop_invalid=False)) == ["conflict"]
    assert outcomes(await house.says(ann(), expected=0, drop_invalid=False)) == ["written"]
    assert outcomes(await house.says(ann(), expected=0, drop_invalid=False)) == ["conflict"]
    assert outcomes(await house.says(ann(name="New"), expected=1, drop_invalid=False)) == ["written"]
    await house.says(UserUpdate(user_id="456", deleted=True))
    assert outcomes(await house.says(ann(), expected=0, drop_invalid=False)) == ["written"]


async def test_a_profile_that_cannot_be_opened_spoils_no_neighbour(house: House) -> None:
    await house.says(ann())
    await house.users.put([msgspec.structs.replace(await house.row(), profile=b"changed" * 10)])
    answers = await house.says(ann(), UserUpdate(user_id="other", name="Other"))
    assert outcomes(answers) == ["unreadable", "written"]
    assert (await house.profile("other")).name == "Other"


async def test_a_key_that_is_not_here_is_the_matter_of_one_and_does_not_stop_an_erasure(house: House) -> None:
    await house.says(ann(), UserUpdate(user_id="457", name="Bob"))
    row = await house.row()
    assert row.data_key is not None
    newer = msgspec.structs.replace(row, data_key=b"\2" + row.data_key[1:])
    await house.users.erase([row.id])
    await house.users.put([newer])
    answers = await house.says(ann(name="A"), UserUpdate(user_id="457", name="B"))
    assert outcomes(answers) == ["locked", "written"]
    assert (await house.profile("457")).name == "B"
    assert outcomes(await house.says(UserUpdate(user_id="456", deleted=True))) == ["deleted"]
