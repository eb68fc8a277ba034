"""Secrets by reference: from variables, files and a secret manager, which is a real HTTP server here."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from adapters.secrets.manager import READ_MAX, KeyValueManager
from adapters.secrets.referenced import STALE_MAX, ReferencedSecrets
from config.load import load
from config.secret_sources import SecretSettings, of_descriptions
from config.sources import read_text
from domain.kernel.errors import Misconfigured, SecretUnavailable
from domain.kernel.secret import Secret
from domain.secret.reference import Scope
from tests.support.clock import HandClock
from tests.support.secret_manager import TOKEN, SecretManager, secret_manager

CANARY = "canary-71b2"
FRESH = timedelta(minutes=5)


@pytest.fixture
async def manager() -> AsyncIterator[SecretManager]:
    async with secret_manager({"mail/x": {"token": CANARY, "port": 25, "on": True}, "gone": None}) as found:
        yield found


def secrets(
    manager: SecretManager | None = None,
    *,
    environ: dict[str, str] | None = None,
    scope: Scope | None = None,
    clock: HandClock | None = None,
    timeout: timedelta = timedelta(seconds=5),
) -> ReferencedSecrets:
    read = manager and KeyValueManager(
        url=manager.url, mount="secret", token=lambda: Secret(TOKEN), namespace="shop", timeout=timeout
    )
    return ReferencedSecrets(
        environ=environ or {},
        read_file=lambda path: read_text(path, f"the file {path}"),
        manager=read,
        scope=scope,
        clock=clock or HandClock(),
        fresh=FRESH,
    )


async def test_from_a_variable() -> None:
    assert await secrets(environ={"A": CANARY}).get("env:A") == Secret(CANARY)


async def test_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"\ufeff{CANARY}\r\n", encoding="utf-8")
    assert await secrets().get(f"file:{tmp_path}/token") == Secret(CANARY)


async def test_from_the_secret_manager(manager: SecretManager) -> None:
    found = secrets(manager)
    assert await found.get("secret:mail/x#token") == Secret(CANARY)
    assert await found.get("secret:mail/x#port") == Secret("25")
    assert await found.get("secret:mail/x#on") == Secret("true")
    assert manager.calls == ["mail/x"]
    assert manager.namespaces == ["shop"]


@pytest.mark.parametrize(
    ("reference", "why"),
    [
        ("hunter2", "no reference: give env:NAME, file:PATH or secret:PATH#FIELD"),
        ("env:NONE", "env:NONE: there is no such variable, or it is empty"),
        ("env:EMPTY", "env:EMPTY: there is no such variable, or it is empty"),
        ("file:/nowhere", "file:/nowhere: the file /nowhere cannot be read: No such file or directory"),
        ("file:~nobody-here/x", "file:~nobody-here/x: no file has such a name"),
        ("secret:mail/x#none", "secret:mail/x#none: the entry has no such field"),
        ("secret:none#token", "secret:none#token: the secret manager answers 404: there is no such entry"),
        ("secret:gone#token", "secret:gone#token: the secret manager answers 404: there is no such entry"),
    ],
)
async def test_what_is_not_there_is_said(manager: SecretManager, reference: str, why: str) -> None:
    with pytest.raises(SecretUnavailable) as told:
        await secrets(manager, environ={"EMPTY": ""}).get(reference)
    assert str(told.value) == why


@pytest.mark.parametrize(
    ("status", "why"), [(403, "token is refused"), (503, "sealed"), (307, "no entry"), (418, "no entry")]
)
async def test_what_the_secret_manager_refuses(manager: SecretManager, status: int, why: str) -> None:
    manager.status = status
    with pytest.raises(SecretUnavailable, match=f"answers {status}: .*{why}"):
        await secrets(manager).get("secret:mail/x#token")
    assert manager.calls == ["mail/x"]  # no redirection is followed


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[" * 100_000,
        b'{"data":{"token":"x"}}',
        b'{"data":{"data":["x"]}}',
        b" " * (READ_MAX + 1),
        b'{"data":{"data":{"token":"\xff"}}}',
    ],
)
async def test_answers_that_are_no_entry(manager: SecretManager, body: bytes) -> None:
    manager.body = body
    with pytest.raises(SecretUnavailable):
        await secrets(manager).get("secret:mail/x#token")


async def test_a_secret_manager_that_does_not_answer(manager: SecretManager) -> None:
    manager.delay = 30
    with pytest.raises(SecretUnavailable, match="does not answer in time"):
        await secrets(manager, timeout=timedelta(seconds=0.1)).get("secret:mail/x#token")
    with pytest.raises(SecretUnavailable, match="does not answer: ClientConnector"):
        await secrets(SecretManager(url="http://127.0.0.1:9")).get("secret:mail/x#token")


async def test_an_entry_is_read_again_when_it_is_old_and_kept_while_the_manager_is_away(
    manager: SecretManager,
) -> None:
    clock = HandClock()
    found = secrets(manager, clock=clock)
    assert await found.get("secret:mail/x#token") == Secret(CANARY)
    manager.entries["mail/x"] = {"token": "new"}
    clock.go_on(FRESH.total_seconds() - 1)
    assert await found.get("secret:mail/x#token") == Secret(CANARY)
    clock.go_on(2)
    assert await found.get("secret:mail/x#token") == Secret("new")
    manager.status = 503
    clock.go_on(STALE_MAX.total_seconds() - 1)
    assert await found.get("secret:mail/x#token") == Secret("new")
    clock.go_on(2)
    with pytest.raises(SecretUnavailable):
        await found.get("secret:mail/x#token")


async def test_however_many_want_an_entry_it_is_read_once(manager: SecretManager) -> None:
    manager.delay = 0.05
    found = secrets(manager)
    first = asyncio.create_task(found.get("secret:mail/x#token"))
    await asyncio.sleep(0)
    others = [asyncio.create_task(found.get("secret:mail/x#token")) for _ in range(50)]
    await asyncio.sleep(0)
    first.cancel()  # the one who began it
    assert await asyncio.gather(*others) == [Secret(CANARY)] * 50
    assert manager.calls == ["mail/x"]


async def test_the_api_names_only_what_the_operator_allows(
    manager: SecretManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "slack").write_text("s")
    (tmp_path / "own").write_text(CANARY)
    (folder / "way-out").symlink_to(tmp_path / "own")
    monkeypatch.setenv("CHANNEL_SECRET_A", "a")
    monkeypatch.setenv("POSTHORN_VAULT__SECRET", CANARY)
    settings = SecretSettings(url=manager.url, token=Secret(TOKEN), folder=folder, path_prefix="shop")
    manager.entries["shop/slack"] = {"url": "u"}
    found = of_descriptions(settings, HandClock())
    assert await found.get("env:CHANNEL_SECRET_A") == Secret("a")
    assert await found.get("file:slack") == Secret("s")
    assert await found.get("secret:shop/slack#url") == Secret("u")
    for reference in (
        "env:POSTHORN_VAULT__SECRET",
        "file:way-out",
        "file:../own",
        f"file:{tmp_path}/own",
        "secret:mail/x#token",
    ):
        with pytest.raises(SecretUnavailable):
            await found.get(reference)


async def test_settings_take_references(
    manager: SecretManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "vault-token").write_text(f"{TOKEN}\n")
    (tmp_path / "index").write_text("i" * 44)
    manager.entries["db"] = {"url": "postgresql://shop:pass@db/posthorn"}
    (tmp_path / "posthorn.toml").write_text(
        f"""
        [secrets]
        url = "{manager.url}"
        token_path = "{tmp_path}/vault-token"
        [db]
        url = "secret:db#url"
        [vault]
        index = "file:{tmp_path}/index"
        [providers.letters]
        kind = "postmark"
        token = "secret:mail/x#token"
        [providers.phones]
        kind = "twilio"
        account = "env:NO_SECRET"
        from = "+1"
        """
    )
    environ = {"POSTHORN_PROVIDERS__PHONES__TOKEN": "env:TWILIO", "TWILIO": "t"}
    loaded = await asyncio.to_thread(load, environ)
    found = {each.key: each for each in loaded.listed()}
    assert found["db.url"].value.reveal() == "postgresql://shop:pass@db/posthorn"
    assert found["vault.index"].value == Secret("i" * 44)
    assert found["providers.letters.token"].value == Secret(CANARY)
    assert found["providers.letters.token"].source == "posthorn.toml: secret:mail/x#token"
    assert found["providers.phones.token"].value == Secret("t")
    assert found["providers.phones.account"].value == "env:NO_SECRET"  # no secret, so no reference
    assert CANARY not in repr(loaded)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"DB__URL": "env:NONE"}, "db.url (from POSTHORN_DB__URL): env:NONE: there is no such variable"),
        (
            {"VAULT__SECRET": "secret:a#b"},
            "vault.secret (from POSTHORN_VAULT__SECRET): secret:a#b: there is no secret manager: secrets.url",
        ),
        (
            {"SECRETS__URL": "https://vault"},
            "secrets.url is set: set one of secrets.token and secrets.token_",
        ),
        ({"SECRETS__URL": "vault:8200"}, "secrets.url must begin with https:// (or http://)"),
        (
            {"SECRETS__URL": "https://vault", "SECRETS__TOKEN": "t", "SECRETS__CA": "/nowhere"},
            "secrets.ca cannot be used",
        ),
        (
            {"DB__URL": "env:BAD", "BAD": CANARY},
            "db.url (from POSTHORN_DB__URL: env:BAD): the value is not a URL",
        ),
    ],
)
def test_a_mistake_names_key_and_source(
    given: dict[str, str], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {f"POSTHORN_{name}" if "__" in name else name: value for name, value in given.items()}
    with pytest.raises(Misconfigured) as told:
        load(environ)
    assert str(told.value).startswith(message)
    assert CANARY not in str(told.value)
