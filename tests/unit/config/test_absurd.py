"""Whatever stands in a setting: it is used, or refused in one line that shows no secret."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.rabbitmq.endpoint import Endpoint
from config import gateways, links, secrets, sources
from config.alerts import signing_key
from config.load import load
from config.secret_url import SecretUrl
from config.settings import Settings
from config.sources import Given
from config.values import shown
from domain.kernel.errors import Misconfigured

CANARY = "c4n4ry"
SECRET = ("url", "secret", "password", "index", "pepper", "keys.1")
KEYS = [setting.key for setting in load({}).listed()] + [
    "vault.keys.1",
    "vault.keys.²",
    "providers.mailer.kind",
    *(f"providers.mailer.{name}" for name in ("host", "port", "from", "reply_to", "hello", "ca", "password")),
    "db.tls.ca",
    "nothing.of.the.kind",
    "",
    ".",
    "db.\x1b[31m",
]
URLS = [
    f"amqp://user:{CANARY}{odd}x@host:5672/v"
    for odd in ("/", "#", "?", "@", "[", "]", ":", "%", "\\", " ", "\n", "\0", "ü", "//", "?#/")
] + [
    *(
        "amqp://[::1",
        "amqp://host:99999",
        "amqp://host:-1",
        "amqp://host:²",
        "amqp://:@:",
        "amqp://",
        "://",
        "x:",
    ),
    *("http://[", "postgresql://h1:1,h2:2/db", "postgresql:///db?host=/tmp", "postgresql://h/db?port=many"),
    *(f"amqp://user:{CANARY}", f"amqp://user:12{CANARY}/3", f"amqp://host/{'v' * 300}", "amqp://a@b@c/d"),
]
ABSURD: list[Any] = [
    *("", " ", "\0", "\n", "\r\n", "\ufeff", "\x1b[2J", "~nobody-of-that-name", "/dev/null", "/", "." * 5000),
    *(
        "nan",
        "inf",
        "-inf",
        "1e999",
        "9" * 5000,
        "-1",
        "0",
        "²",
        "٣",
        "1_000",
        "0x10",
        "9999999999d",
        "1.5.5s",
    ),
    *(
        0,
        -1,
        2**31,
        2**64,
        10**400,
        1.5,
        float("nan"),
        float("inf"),
        True,
        None,
        [],
        [[]],
        [None],
        {},
        {"a": 1},
    ),
    *(["\n"], ["a,b"], ["EMAIL"], "a,,b", ",", "é", "\u202e", "\ud800", b"bytes", "Shop <a@b>\r\nBcc: x@y"),
    *URLS,
]


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def tried(flags: dict[str, Any]) -> Settings | None:
    """The settings, unless they are refused as they should be."""
    try:
        loaded = load({}, flags={key: Given(value, f"--set {key}") for key, value in flags.items()})
    except Misconfigured as refusal:
        held(refusal)
        return None
    listed = "\n".join(f"{setting.key} {shown(setting.value)}" for setting in loaded.listed())
    if any(key.endswith(SECRET) for key in flags):
        assert CANARY not in listed
        assert CANARY not in repr(loaded.settings)
    return loaded.settings


def refused(use: Callable[[], object], kind: type[Exception]) -> str | None:
    """What is said when it is not possible; another kind of error is a traceback."""
    try:
        use()
    except kind as refusal:
        return str(refusal)
    return None


def held(refusal: Misconfigured) -> None:
    text = str(refusal)
    assert text.isprintable()
    assert len(text) < 1_000
    assert CANARY not in text
    assert refusal.__cause__ is None
    assert refusal.__suppress_context__


def uses(settings: Settings) -> Iterator[Callable[[], object]]:
    """What a process makes of its settings before it connects to anything."""
    yield lambda: links.endpoint(settings)
    yield lambda: links.management(settings)
    yield lambda: links.described_topology(settings)
    yield lambda: secrets.vault(settings)
    yield lambda: secrets.pepper(settings)
    yield lambda: secrets.tls("db.tls", settings.db.tls)
    yield lambda: signing_key(settings.alerts)
    yield lambda: gateways.build(settings, None, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("key", KEYS)
def test_no_value_ends_in_a_traceback_or_shows_a_secret(key: str) -> None:
    secret = key.endswith(SECRET)
    for value in ABSURD if secret else [v for v in ABSURD if v not in URLS]:
        found = tried({key: value})
        for use in uses(found) if found is not None else ():
            assert CANARY not in (refused(use, Misconfigured) or "")


@settings(max_examples=300)
@given(st.dictionaries(st.sampled_from(KEYS), st.one_of(st.text(), st.integers(), st.floats()), max_size=4))
def test_no_combination_does(flags: dict[str, Any]) -> None:
    tried(flags)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=200), st.text(alphabet='ab=[]{}"\n.1\\u#', max_size=80).map(str.encode)))
def test_no_file_does(octets: bytes) -> None:
    Path("posthorn.toml").write_bytes(octets)
    tried({})


@pytest.mark.parametrize(
    "octets",
    [
        b"a = " + b"[" * 100_000, b"a = " + b"9" * 5_000, b"#" * (2 << 20), b"a." * 3_000 + b"a = 1",
        b"engine.slots = 0x" + b"f" * 5_000, b"engine.channels = [0x" + b"f" * 5_000 + b"]",
        b'engine.lease = "' + b"9" * 500_000 + b'y"',
    ],
    ids=lambda octets: octets[:20].decode(),
)  # fmt: skip
def test_a_file_that_is_too_much_is_refused(octets: bytes) -> None:
    Path("posthorn.toml").write_bytes(octets)
    assert tried({}) is None


@pytest.mark.parametrize("path", ["/dev/zero", "/", "/proc/self/mem", "a\0b", "x" * 300])
def test_a_secret_file_that_is_none_is_refused(path: str) -> None:
    with pytest.raises(Misconfigured, match="POSTHORN_DB__URL_FILE: the file") as refused:
        load({"POSTHORN_DB__URL_FILE": path})
    held(refused.value)


def test_a_pipe_is_read_and_not_waited_for_without_end() -> None:
    os.mkfifo("pipe")
    writer = Thread(target=lambda: Path("pipe").write_text("[http]\nport = 9000\n"))
    writer.start()
    assert load({}, path=Path("pipe")).settings.http.port == 9000
    writer.join()
    with pytest.raises(Misconfigured, match="a file cannot be read: it is a pipe, and nobody ends writing"):
        sources.read_text(Path("pipe"), "a file", pipe_max=0.01)
    Path("pipe").write_text("")  # lets go of who still waits


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_byte_order_mark_is_no_part_of_a_value(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("e") else ""
    toml = 'vault.secret = "ключ"\r\n'
    Path("posthorn.toml").write_bytes((mark + toml).encode(encoding))
    Path("secret").write_bytes((mark + f"{CANARY}ü\r\n").encode(encoding))
    loaded = load(
        {"POSTHORN_PROVIDERS__M__KIND": "smtp", "POSTHORN_PROVIDERS__M__USER": "\ufeffshop\r"}
        | {"POSTHORN_PROVIDERS__M__PASSWORD_FILE": "secret"}
    ).settings
    assert loaded.vault.secret is not None
    assert loaded.vault.secret.reveal() == "ключ"
    mailer: Any = loaded.providers["m"]
    assert (mailer.user, mailer.password.reveal()) == ("shop", f"{CANARY}ü")


@pytest.mark.parametrize("url", URLS)
def test_a_url_shows_no_password_wherever_it_is_used(url: str) -> None:
    assert CANARY not in f"{SecretUrl(url)} {SecretUrl(url)!r}"
    if (refusal := refused(lambda: SecretUrl.parse(url), ValueError)) is not None:
        assert CANARY not in refusal
        return
    parsed = SecretUrl.parse(url)
    assert CANARY not in str(parsed)
    assert CANARY not in (refused(lambda: Endpoint.parse(parsed), Misconfigured) or "")


def test_a_password_is_read_as_it_was_encoded() -> None:
    endpoint = Endpoint.parse(SecretUrl.parse("amqp://shop:a%2Fb%3Fc%23d%40e@host/v"))
    assert (endpoint.password.reveal(), endpoint.host, endpoint.vhost) == ("a/b?c#d@e", "host", "v")
    assert (
        str(SecretUrl.parse("postgresql://shop:p@h1:1,h2:2/db?x=1"))
        == "postgresql://shop:••••••@h1:1,h2:2/db"
    )
    assert str(SecretUrl.parse("http://mq:15672/api")) == "http://mq:15672/api"
