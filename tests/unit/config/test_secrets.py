"""Keys from the settings: usable, or refused with what to do; never shown."""

import base64
from pathlib import Path
from uuid import UUID

import pytest

from config import secrets
from config.connections import Tls, TlsMode
from config.load import load
from config.settings import Settings
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret

SECRET = base64.b64encode(bytes(range(32))).decode()
USER = UUID(int=7)


def settings(**given: str) -> Settings:
    return load({f"POSTHORN_VAULT__{name.upper()}": value for name, value in given.items()}).settings


def test_one_secret_is_enough() -> None:
    vault = secrets.vault(settings(secret=SECRET))
    key = vault.create()
    assert vault.unwrap(vault.wrap(key, USER), USER).open(key.seal(b"x", b"c"), b"c") == b"x"
    assert len(secrets.pepper(settings(secret=SECRET))) == 32
    assert secrets.cursor_key(settings(secret=SECRET)) != secrets.pepper(settings(secret=SECRET))


@pytest.mark.parametrize("spelling", [SECRET, SECRET.rstrip("="), f" {SECRET}\n", "-_" * 22])
def test_base64_in_any_spelling(spelling: str) -> None:
    secrets.vault(settings(secret=spelling))


def test_the_keys_that_a_secret_stands_for_open_what_it_sealed_and_can_be_rotated() -> None:
    before = secrets.vault(settings(secret=SECRET))
    key = before.create()
    wrapped, sealed = before.wrap(key, USER), key.seal(b"x", b"c")
    spelled = secrets.spelled_out(settings(secret=SECRET))
    new = base64.b64encode(b"n" * 32).decode()
    rotated_settings = settings(
        keys__1=spelled["vault.keys.1"],
        keys__2=new,
        current="2",
        index=spelled["vault.index"],
        pepper=spelled["vault.pepper"],
    )
    rotated = secrets.vault(rotated_settings)
    assert rotated.unwrap(wrapped, USER).open(sealed, b"c") == b"x"
    assert rotated.index("email", "a@b.c") == before.index("email", "a@b.c")
    assert secrets.pepper(rotated_settings) == secrets.pepper(settings(secret=SECRET))
    assert rotated.wrap(key, USER)[0] == 2


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "vault.secret is not set: make one with `openssl rand -base64 32`, give it as POSTHORN_VAULT__"),
        ({"secret": "not base64!"}, "vault.secret is not base64: make one with"),
        ({"secret": "c2hvcnQ="}, "vault.secret holds 5 bytes and needs at least 32"),
        (
            {"keys__1": SECRET, "index": "c2hvcnQ=", "pepper": SECRET},
            "vault.index holds 5 bytes and needs 32",
        ),
        (
            {"keys__1": f"AAAA{SECRET}", "index": SECRET, "pepper": SECRET},
            "vault.keys.1 holds 35 bytes and needs 32",
        ),
    ],
)
def test_unusable_keys_are_refused_by_name_and_not_repeated(given: dict[str, str], message: str) -> None:
    with pytest.raises(Misconfigured) as error:
        secrets.vault(settings(**given))
    assert message in str(error.value)
    assert not any(value in str(error.value) for value in given.values())


def test_embedded_mode_makes_a_secret_once_that_others_cannot_read(tmp_path: Path) -> None:
    path = tmp_path / "data" / "secret"
    first = secrets.generated(path)
    assert path.stat().st_mode & 0o077 == 0
    assert secrets.generated(path) == first
    assert len(base64.b64decode(first.reveal())) == 32


def test_a_secret_that_cannot_be_kept_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Misconfigured, match=f"the key file {tmp_path}/file/secret cannot be used"):
        secrets.generated(tmp_path / "file" / "secret")


def test_tls_is_off_checked_or_only_encrypted(tmp_path: Path) -> None:
    assert secrets.tls("db.tls", Tls()) is None
    checked = secrets.tls("db.tls", Tls(mode=TlsMode.VERIFY))
    assert checked is not None
    assert checked.check_hostname
    blind = secrets.tls("db.tls", Tls(mode=TlsMode.NO_VERIFY))
    assert blind is not None
    assert not blind.check_hostname
    with pytest.raises(Misconfigured, match=r"db\.tls: its files cannot be used"):
        secrets.tls("db.tls", Tls(mode=TlsMode.VERIFY, ca=tmp_path / "nowhere.pem"))


def test_what_is_required_is_named_with_an_example() -> None:
    assert secrets.required("db.url", Secret("x"), "y") == Secret("x")
    with pytest.raises(Misconfigured, match=r"db\.url is not set: give POSTHORN_DB__URL=postgresql://"):
        secrets.required("db.url", None, "postgresql://host/db")
