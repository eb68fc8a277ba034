"""Keys against the data: a wrong secret never begins, a missing version is said, rotating takes two steps."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from adapters.crypto.vault import LocalVault
from application.privacy.check_keys import CheckKeys
from application.privacy.ports import KeyState, Sample
from application.privacy.sealing import seal_profile
from application.user.identity import customer, guest
from domain.kernel.channel import Mode
from domain.notification.request import Profile

ANN = Profile(user_id="456", email="Ann@example.com")
USERS = [ANN, Profile(email="Ann@example.com", phone="+4930901820"), Profile(phone="+4930901820")]
FIRST, SECOND, INDEX, OTHER = (bytes([n]) * 32 for n in range(1, 5))


def vault(
    current: int, *versions: int, index: bytes = INDEX, keys: Mapping[int, bytes] | None = None
) -> LocalVault:
    known = {1: FIRST, 2: SECOND} | dict(keys or {})
    return LocalVault({version: known[version] for version in versions}, current, index)


@dataclass
class Shelf:
    """Implements `Proofs`: one database for all processes."""

    proofs: dict[str, bytes] = field(default_factory=dict)
    user: Sample | None = None

    async def all(self) -> dict[str, bytes]:
        return dict(self.proofs)

    async def add(self, proofs: Mapping[str, bytes]) -> None:
        self.proofs = dict(proofs) | self.proofs

    async def sample(self) -> Sample | None:
        return self.user

    async def seen_by(self, keyring: LocalVault) -> KeyState:
        return await CheckKeys(keyring=keyring, proofs=self, state=KeyState())()

    def holds(self, sealed_by: LocalVault, profile: Profile = ANN, mode: Mode = Mode.LIVE) -> None:
        """Somebody, from before there were proofs."""
        if profile.user_id:
            who = customer(sealed_by, profile.user_id, mode)
        else:
            who = guest(sealed_by, mode, email=profile.email, phone=profile.phone)
        key = sealed_by.create()
        self.user = Sample(who, sealed_by.wrap(key, who), seal_profile(key, who, profile))


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


async def test_the_first_process_leaves_its_proofs_and_the_next_are_held_to_them(shelf: Shelf) -> None:
    assert (await shelf.seen_by(vault(1, 1))).trouble is None
    assert sorted(shelf.proofs) == ["index", "key 1"]
    assert (await shelf.seen_by(vault(1, 1))).trouble is None


@pytest.mark.parametrize(
    ("other", "named"),
    [
        (vault(1, 1, keys={1: OTHER}), r"vault\.keys\.1 \(or vault\.secret\)"),
        (vault(1, 1, index=OTHER), r"vault\.index \(or vault\.secret\)"),
    ],
)
async def test_another_key_than_that_of_the_data_is_wrong(
    shelf: Shelf, other: LocalVault, named: str
) -> None:
    await shelf.seen_by(vault(1, 1))
    before = dict(shelf.proofs)
    state = await shelf.seen_by(other)
    assert re.search(named, state.wrong or "")
    assert shelf.proofs == before


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("other", [vault(1, 1, keys={1: OTHER}), vault(1, 1, index=OTHER)])
async def test_data_from_before_there_were_proofs_is_a_proof(
    shelf: Shelf, other: LocalVault, user: Profile, mode: Mode
) -> None:
    shelf.holds(vault(1, 1), user, mode)
    assert (await shelf.seen_by(other)).wrong is not None
    assert shelf.proofs == {}, "nobody with wrong keys says what is right"
    assert (await shelf.seen_by(vault(1, 1))).trouble is None
    assert (await shelf.seen_by(other)).wrong is not None


async def test_rotation_in_two_steps_troubles_nobody(shelf: Shelf) -> None:
    before, knowing, sealing = vault(1, 1), vault(1, 1, 2), vault(2, 1, 2)
    for process in (before, before, knowing, before, knowing, knowing):  # the first step, process by process
        assert (await shelf.seen_by(process)).trouble is None
    for process in (sealing, knowing, sealing, sealing):  # the second
        assert (await shelf.seen_by(process)).trouble is None
    assert sorted(shelf.proofs) == ["index", "key 1", "key 2"]


async def test_rotation_in_one_step_is_said_by_those_who_were_not_told(shelf: Shelf) -> None:
    running = CheckKeys(keyring=vault(1, 1), proofs=shelf, state=KeyState())
    assert (await running()).trouble is None
    await shelf.seen_by(vault(2, 1, 2))
    state = await running()
    assert state.wrong is None, "what it can read it may read"
    assert state.trouble == "data is sealed under key 2, which this process has not: set vault.keys.2"


async def test_an_old_key_that_is_gone_is_missed_as_long_as_its_proof_stands(shelf: Shelf) -> None:
    await shelf.seen_by(vault(1, 1))
    state = await shelf.seen_by(vault(2, 2))
    assert list(state.missing) == [1]
