"""Sealing, wrapping, rotating; what has been moved or changed does not open."""

import copy
import os
import pickle
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest

from adapters.crypto.checked import CheckedVault
from adapters.crypto.keys import AesKey
from adapters.crypto.vault import LocalVault, derive
from application.privacy.ports import DataKey, KeyState, ServiceKey, Unreadable, Vault
from domain.kernel.errors import KeyUnavailable, Misconfigured

CANARY = b"canary.user@example.com"
USER = UUID("018bcfe5-6800-8abc-8def-0123456789ab")
OTHER = UUID("018bcfe5-6800-8abc-8def-0123456789ac")


@pytest.fixture
def vault() -> LocalVault:
    return LocalVault.from_master(b"m" * 32)


def test_it_implements_the_ports(vault: LocalVault) -> None:
    as_vault: Vault = vault
    as_key: DataKey = vault.create()
    assert as_vault.unwrap(as_vault.wrap(as_key, USER), USER).open(as_key.seal(b"x", b"c"), b"c") == b"x"


def test_sealed_data_reads_back_and_hides_its_content(vault: LocalVault) -> None:
    key = vault.create()
    sealed = key.seal(CANARY, b"users.profile:1")
    assert CANARY not in sealed
    assert key.open(sealed, b"users.profile:1") == CANARY


def test_sealing_twice_gives_two_ciphertexts(vault: LocalVault) -> None:
    key = vault.create()
    assert key.seal(CANARY, b"c") != key.seal(CANARY, b"c")


def test_a_ciphertext_moved_to_another_row_does_not_open(vault: LocalVault) -> None:
    key = vault.create()
    sealed = key.seal(CANARY, b"users.profile:1")
    with pytest.raises(Unreadable):
        key.open(sealed, b"users.profile:2")


def test_another_key_does_not_open(vault: LocalVault) -> None:
    with pytest.raises(Unreadable):
        vault.create().open(vault.create().seal(CANARY, b"c"), b"c")


def test_no_changed_byte_goes_unnoticed(vault: LocalVault) -> None:
    key = vault.create()
    sealed = key.seal(b"amount: 10", b"c")
    for at in range(len(sealed)):
        with pytest.raises(Unreadable):
            key.open(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], b"c")
        with pytest.raises(Unreadable):
            key.open(sealed[:at], b"c")


def test_content_keys_are_wrapped_under_a_persons_key(vault: LocalVault) -> None:
    user, content = vault.create(), vault.create()
    sealed = content.seal(CANARY, b"notifications.content:1")
    wrapped = user.wrap(content, b"deliveries.content_key:1")
    unwrapped = user.unwrap(wrapped, b"deliveries.content_key:1")
    assert unwrapped.open(sealed, b"notifications.content:1") == CANARY
    with pytest.raises(Unreadable):
        user.unwrap(wrapped, b"deliveries.content_key:2")


def test_a_wrapped_key_moved_to_another_person_does_not_open_even_once_cached(vault: LocalVault) -> None:
    wrapped = vault.wrap(vault.create(), USER)
    vault.unwrap(wrapped, USER)
    with pytest.raises(Unreadable):
        vault.unwrap(wrapped, OTHER)


def test_rotation_keeps_old_keys_readable_and_wraps_with_the_new() -> None:
    first, second, index = os.urandom(32), os.urandom(32), os.urandom(32)
    old = LocalVault({1: first}, 1, index)
    key = old.create()
    sealed = key.seal(CANARY, b"c")
    wrapped = old.wrap(key, USER)
    both = LocalVault({1: first, 2: second}, 2, index)
    assert both.unwrap(wrapped, USER).open(sealed, b"c") == CANARY
    again = both.wrap(both.unwrap(wrapped, USER), USER)
    assert (wrapped[0], again[0]) == (1, 2)
    new = LocalVault({2: second}, 2, index)
    assert new.unwrap(again, USER).open(sealed, b"c") == CANARY
    with pytest.raises(KeyUnavailable, match=r"sealed under key 1,.*set vault\.keys\.1"):
        new.unwrap(wrapped, USER)


def test_the_version_byte_is_authenticated() -> None:
    secret = os.urandom(32)
    vault = LocalVault({1: secret, 2: secret}, 1, secret)
    wrapped = vault.wrap(vault.create(), USER)
    with pytest.raises(Unreadable):
        vault.unwrap(b"\x02" + wrapped[1:], USER)


def test_the_service_seals_under_the_current_key_and_says_which(vault: LocalVault) -> None:
    as_key: ServiceKey = vault
    sealed = as_key.seal(CANARY, b"intake.command:1")
    assert sealed[0] == 1
    assert CANARY not in sealed
    assert as_key.open(sealed, b"intake.command:1") == CANARY
    for at in range(len(sealed)):
        with pytest.raises(Unreadable if at else KeyUnavailable):
            as_key.open(sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :], b"intake.command:1")
        with pytest.raises(Unreadable):
            as_key.open(sealed[:at], b"intake.command:1")
    with pytest.raises(Unreadable):
        as_key.open(sealed, b"intake.command:2")


def test_what_the_service_sealed_before_a_rotation_still_opens() -> None:
    first, second, index = os.urandom(32), os.urandom(32), os.urandom(32)
    sealed = LocalVault({1: first}, 1, index).seal(CANARY, b"c")
    both = LocalVault({1: first, 2: second}, 2, index)
    assert both.open(sealed, b"c") == CANARY
    assert both.seal(CANARY, b"c")[0] == 2
    with pytest.raises(KeyUnavailable, match=r"sealed under key 1,.*set vault\.keys\.1"):
        LocalVault({2: second}, 2, index).open(sealed, b"c")


def test_a_wrapped_key_is_nothing_the_service_sealed(vault: LocalVault) -> None:
    wrapped = vault.wrap(vault.create(), USER)
    with pytest.raises(Unreadable):
        vault.open(wrapped, b"users.data_key:" + USER.bytes)


@pytest.mark.parametrize("wrapped", [b"", b"\x01", b"\x01" + bytes(60)])
def test_what_is_no_wrapped_key_is_unreadable(vault: LocalVault, wrapped: bytes) -> None:
    with pytest.raises(Unreadable):
        vault.unwrap(wrapped, USER)


def test_what_names_a_key_that_is_not_here_may_be_readable_elsewhere(vault: LocalVault) -> None:
    with pytest.raises(KeyUnavailable):
        vault.unwrap(b"\x63" + bytes(60), USER)


def test_a_key_is_proven_by_what_was_made_with_it_alone() -> None:
    first, second, index, other = (os.urandom(32) for _ in range(4))
    vault = LocalVault({1: first, 2: second}, 2, index)
    for version in (1, 2, None):
        proof = vault.prove(version)
        assert vault.proves(version, proof)
        assert not vault.proves(version, b"")
        assert not vault.proves(version, proof[:-1] + bytes([proof[-1] ^ 1]))
        assert not LocalVault({1: other, 2: other}, 2, other).proves(version, proof)
    assert not vault.proves(1, vault.prove(2))
    with pytest.raises(KeyUnavailable):
        LocalVault({2: second}, 2, index).proves(1, vault.prove(1))


def test_the_vault_is_closed_until_its_keys_are_known_to_be_right(vault: LocalVault) -> None:
    state = KeyState()
    checked: Vault = CheckedVault(vault, state)
    service: ServiceKey = checked  # type: ignore[assignment]
    key = checked.create()
    wrapped, sealed = vault.wrap(key, USER), vault.seal(CANARY, b"c")
    uses: list[Callable[[], object]] = [
        lambda: checked.wrap(key, USER),
        lambda: checked.unwrap(wrapped, USER),
        lambda: checked.index("email", "a@example.com"),
        lambda: service.seal(CANARY, b"c"),
        lambda: service.open(sealed, b"c"),
    ]
    for use in uses:
        with pytest.raises(KeyUnavailable, match="not checked yet"):
            use()
    state.wrong = None
    for use in uses:
        use()
    assert service.open(sealed, b"c") == CANARY
    assert "m" * 32 not in repr(checked)


def test_indexes_are_stable_keyed_and_told_apart_by_kind(vault: LocalVault) -> None:
    digest = vault.index("email", "a@example.com")
    assert len(digest) == 32
    assert digest == LocalVault.from_master(b"m" * 32).index("email", "a@example.com")
    others = {
        vault.index("phone", "a@example.com"),
        vault.index("email", "b@example.com"),
        LocalVault.from_master(b"n" * 32).index("email", "a@example.com"),
    }
    assert len(others | {digest}) == 4


def test_derived_secrets_differ_by_purpose() -> None:
    assert len({derive(b"m" * 32, purpose) for purpose in ("kek", "index", "pepper")}) == 3


def test_keys_say_nothing_of_themselves() -> None:
    raw = b"0123456789abcdef0123456789abcdef"
    key, vault = AesKey(raw), LocalVault({1: raw}, 1, raw)
    for text in (repr(key), str(key), repr([key]), repr(vault), f"{key}"):
        assert "0123456789" not in text
        assert "***" in text
    for steal in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            steal(key)


@pytest.mark.parametrize(
    ("keys", "current", "index", "says"),
    [
        ({1: b"short"}, 1, b"i" * 32, "key 1 has 5 bytes"),
        ({1: b"k" * 32}, 1, b"i" * 31, "index key has 31 bytes"),
        ({1: b"k" * 32}, 2, b"i" * 32, "version 2, which is not configured"),
        ({256: b"k" * 32}, 256, b"i" * 32, "from 0 to 255"),
    ],
)
def test_a_wrong_configuration_says_what_is_wrong(
    keys: dict[int, bytes], current: int, index: bytes, says: str
) -> None:
    with pytest.raises(Misconfigured, match=says):
        LocalVault(keys, current, index)


def test_a_short_master_secret_is_refused() -> None:
    with pytest.raises(Misconfigured, match="at least 32"):
        LocalVault.from_master(b"hunter2")


def test_the_cache_of_unwrapped_keys_is_bounded() -> None:
    vault = LocalVault({1: b"k" * 32}, 1, b"i" * 32, cached=10)
    for _ in range(50):
        user = uuid4()
        vault.unwrap(vault.wrap(vault.create(), user), user)
    assert len(vault._unwrapped) == 10
