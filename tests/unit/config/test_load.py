"""Settings: who wins, what a mistake is answered with, and that no secret shows."""

from datetime import timedelta
from pathlib import Path

import pytest

from adapters.providers.email.smtp.gateway import SmtpSettings
from adapters.providers.in_app.in_app import InAppSettings
from adapters.providers.registry import KINDS
from adapters.providers.sandbox import SandboxSettings
from config.connections import TlsMode
from config.load import load
from config.settings import Settings
from config.sources import Given
from config.values import duration, shown, span
from domain.delivery.policy import DEFAULT_POLICIES, OnUnknown
from domain.kernel.channel import NotificationClass
from domain.kernel.errors import Misconfigured

CANARY = "canary-9f3a"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_nothing_given_is_the_defaults() -> None:
    assert load({}).settings == Settings()
    assert load({}).settings.policies.by_class() == DEFAULT_POLICIES


def test_each_source_wins_over_the_one_before(tmp_path: Path) -> None:
    def pool(environ: dict[str, str], flags: dict[str, Given] | None = None) -> tuple[int, str]:
        loaded = load(environ, flags=flags)
        return loaded.settings.db.pool, loaded.origins.get("db.pool", "default")

    assert pool({}) == (10, "default")
    (tmp_path / "posthorn.toml").write_text("[db]\npool = 11\n")
    assert pool({}) == (11, "posthorn.toml")
    (tmp_path / "other.toml").write_text("[db]\npool = 12\n")
    environ = {"POSTHORN_CONFIG": "other.toml"}
    assert pool(environ) == (12, "other.toml")
    environ |= {"POSTHORN_DB__POOL": "13"}
    assert pool(environ) == (13, "POSTHORN_DB__POOL")
    (tmp_path / "secret").write_text("14\n")
    environ |= {"POSTHORN_DB__POOL_FILE": "secret"}
    assert pool(environ) == (14, "POSTHORN_DB__POOL_FILE (secret)")
    assert pool(environ, {"db.pool": Given(15, "--pool")}) == (15, "--pool")


def test_every_kind_of_value_is_read_from_file_and_environment(tmp_path: Path) -> None:
    (tmp_path / "posthorn.toml").write_text(
        """
        [db]
        url = "postgresql://shop@db/posthorn"
        [db.tls]
        mode = "verify"
        ca = "/etc/ca.pem"
        [engine]
        channels = ["carrier_pigeon"]
        [accepting]
        channels = ["email", "carrier_pigeon"]
        [policies.otp]
        patience = 90
        on_unknown = "hold"
        [providers.mailer]
        kind = "smtp"
        from = "The Shop <shop@example.org>"
        [vault.keys]
        1 = "one"
        2 = "two"
        """
    )
    environ = {
        "POSTHORN_PROVIDERS__MAILER__VERIFY": "no",
        "POSTHORN_PROVIDERS__MAILER__TIMEOUT": "2.5s",
        "POSTHORN_ENGINE__PRIORITIES": "critical, high",
        "POSTHORN_VAULT__CURRENT": "2",
        "POSTHORN_VAULT__INDEX": "index",
        "POSTHORN_VAULT__PEPPER": "pepper",
        "POSTHORN_SANDBOX_LEDGER": "/tmp/ledger",
        "POSTHORN_DB__TLS__CA": "",
    }
    settings = load(environ).settings
    assert settings.db.url is not None
    assert settings.db.url.reveal() == "postgresql://shop@db/posthorn"
    assert (settings.db.tls.mode, settings.db.tls.ca) == (TlsMode.VERIFY, None)
    assert settings.engine.channels == ("carrier_pigeon",)
    assert settings.engine.priorities == ("critical", "high")
    otp = settings.policies.by_class()[NotificationClass.OTP]
    assert (otp.patience, otp.on_unknown, otp.retries) == (timedelta(seconds=90), OnUnknown.HOLD, 3)
    assert settings.providers == {
        "sandbox": SandboxSettings(),
        "in_app": InAppSettings(),
        "mailer": SmtpSettings(
            sender="The Shop <shop@example.org>", verify=False, timeout=timedelta(seconds=2.5)
        ),
    }
    assert {version: key.reveal() for version, key in settings.vault.keys.items()} == {1: "one", 2: "two"}
    assert settings.sandbox.ledger == Path("/tmp/ledger")


WRONG = """
POSTHORN_DB__ULR=x
    db.ulr (from POSTHORN_DB__ULR) is not a setting: did you mean db.url?
POSTHORN_DBB__URL=x
    dbb (from POSTHORN_DBB__URL) is not a setting: did you mean db?
POSTHORN_DB_URL=x
    POSTHORN_DB_URL is not a setting: did you mean POSTHORN_DB__URL (two underscores)?
POSTHORN_DB_URL_FILE=/run/x
    POSTHORN_DB_URL_FILE is not a setting: did you mean POSTHORN_DB__URL
POSTHORN_DB__POOL=many
    db.pool (from POSTHORN_DB__POOL): 'many' is not a whole number from 1 to 100000
POSTHORN_DB__POOL=0
    '0' is not a whole number from 1 to 100000
POSTHORN_HTTP__PORT=65536
    '65536' is not a whole number from 0 to 65535
POSTHORN_DB__URL=localhost
    db.url (from POSTHORN_DB__URL): the value is not a URL
POSTHORN_DB__URL__HOST=x
    db.url is one value, not a section: give a URL
POSTHORN_DB__STATEMENT_MAX=soon
    'soon' is not a duration such as "60s", "10m" or "1h30m"
POSTHORN_DB__STATEMENT_MAX=-1
    '-1' is not a duration
POSTHORN_DB__TLS__MODE=yes
    'yes' is not off, verify or no-verify
POSTHORN_DB__TLS__CERT=/c.pem
    db.tls.key is not set: a certificate and its key come together
POSTHORN_AMQP__TLS__KEY=/k.pem
    amqp.tls.cert is not set
POSTHORN_LOG__LEVEL=loud
    log.level (from POSTHORN_LOG__LEVEL): 'loud' is not debug, info, warning or error
POSTHORN_ENGINE__PRIORITIES=critical,urgent
    'critical,urgent' is not a list, each critical, high, low or medium
POSTHORN_ENGINE__CHANNELS=fax
    engine.channels names fax: add it to accepting.channels, or take one of email, sms
POSTHORN_ENGINE__RESERVE=3000
    engine.reserve is 3000: it must be less than engine.slots, 2000
POSTHORN_ENGINE__LEASE=35s
    engine.lease is 35s: it must be at least 10s longer than engine.call_max, which is 30s
POSTHORN_POLICIES__OTP__RETRIES=-1
    policies.otp.retries is -1: give 0 or more
POSTHORN_POLICIES__OTP__RETRYS=1
    did you mean policies.otp.retries?
POSTHORN_POLICIES__PROMO__RETRIES=1
    policies.promo (from POSTHORN_POLICIES__PROMO__RETRIES) is not a setting
POSTHORN_PROVIDERS__MAILER__HOST=mx
    providers.mailer.kind is not set: say which kind it is, {kinds}
POSTHORN_PROVIDERS__MAILER__KIND=smpt
    'smpt' is not {kinds}
POSTHORN_PROVIDERS__MAILER__KIND=smtp POSTHORN_PROVIDERS__MAILER__VERIFY=perhaps
    providers.mailer.verify (from POSTHORN_PROVIDERS__MAILER__VERIFY): 'perhaps' is not true or false
POSTHORN_PROVIDERS__MAILER__KIND=smtp POSTHORN_PROVIDERS__MAILER__USER=shop
    providers.mailer.password is not set: a login has a user and a password
POSTHORN_PROVIDERS__MAILER__KIND=smtp POSTHORN_PROVIDERS__MAILER__TIMEOUT=1m
    providers.mailer.timeout is 1m: it must not be longer than engine.call_max, which is 30s
POSTHORN_PROVIDERS__SANDBOX__REFUSE=1.5
    providers.sandbox.refuse (from POSTHORN_PROVIDERS__SANDBOX__REFUSE): '1.5' is not a number from 0 to 1
POSTHORN_PROVIDERS__SANDBOX__REFUSE=often
    'often' is not a number from 0 to 1
POSTHORN_VAULT__SECRET=a POSTHORN_VAULT__KEYS__1=b
    vault.secret and vault.keys exclude each other
POSTHORN_VAULT__KEYS__1=b
    vault.index is not set: vault.keys needs it beside
POSTHORN_VAULT__KEYS__NEW=b
    vault.keys.new: keys are numbered: vault.keys.1, vault.keys.2 and so on
POSTHORN_VAULT__KEYS__1=b POSTHORN_VAULT__INDEX=b POSTHORN_VAULT__PEPPER=b POSTHORN_VAULT__CURRENT=2
    vault.current is 2: set vault.keys.2 too
POSTHORN_ALERTS__URL=https://ops.example/hook
    alerts.secret is not set: alerts.url needs it; make one with `echo whsec_$(openssl rand -base64 32)`
POSTHORN_ALERTS__URL=ftp://ops:canary@ops.example/hook
    alerts.url is ftp://ops:••••••@ops.example/hook: it must begin with https://
POSTHORN_ALERTS__URL=http://ops.example/hook
    alerts.url is http://ops.example/hook: it must begin with https://, or alerts.networks name where it leads
POSTHORN_ALERTS__URL=https://ops.example/hook POSTHORN_ALERTS__NETWORKS=10.0.0.1/8
    alerts.networks has '10.0.0.1/8': it must be a network such as 10.0.0.0/8
POSTHORN_ALERTS__SECRET=c2hvcnQ=
    alerts.secret is not whsec_ and base64 of 24 to 64 bytes
POSTHORN_ALERTS__SECRET=whsec_c2hvcnQ=
    alerts.secret is not whsec_ and base64 of 24 to 64 bytes
POSTHORN_ALERTS__SECRET=whsec_no-base64-at-all!
    alerts.secret is not whsec_ and base64 of 24 to 64 bytes
POSTHORN_DB__URL_FILE=/nowhere
    POSTHORN_DB__URL_FILE: the file /nowhere cannot be read: No such file
POSTHORN_CONFIG=/nowhere
    the configuration file /nowhere cannot be read: No such file
"""
*_SOME, _LAST = KINDS
_LINES = WRONG.replace("{kinds}", f"{', '.join(_SOME)} or {_LAST}").strip().splitlines()
TABLE = list(zip(*[iter(line.strip() for line in _LINES)] * 2, strict=True))
"""What is in the environment, and below it what is said."""


@pytest.mark.parametrize(("environ", "message"), TABLE)
def test_a_mistake_is_answered_in_one_line_that_names_the_key(environ: str, message: str) -> None:
    with pytest.raises(Misconfigured) as error:
        load(dict(each.split("=", 1) for each in environ.split()))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("db = 3", "db (from posthorn.toml) is a section, not one value: give db.<name>"),
        ("[db]\npool = true", "db.pool (from posthorn.toml): True is not a whole number"),
        ("[db]\npool = [1]", "db.pool (from posthorn.toml): [1] is not a whole number"),
        ("[providers]\nmailer = 1", "providers.mailer (from posthorn.toml) is a section"),
        ("[http]\nhost = 1", "http.host (from posthorn.toml): 1 is not text"),
        ("[engine]\nchannels = 3", "engine.channels (from posthorn.toml): 3 is not a list, each text"),
        ("[db", "the configuration file posthorn.toml is not TOML: "),
        ("[pool]\nsize = 3", "pool (from posthorn.toml) is not a setting: "),
    ],
)
def test_a_mistake_in_the_file_is_named(toml: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "posthorn.toml").write_text(toml)
    with pytest.raises(Misconfigured) as error:
        load({})
    assert message in str(error.value)


@pytest.mark.parametrize(
    "name",
    ["POSTHORN_TEST_PG_BIN", "POSTHORN_SERVICE_HOST", "POSTHORN_PORT", "POSTHORN_KEY", "PATH"],
)
def test_variables_without_a_double_underscore_are_somebody_elses(name: str) -> None:
    assert load({name: "x"}).settings == Settings()


def test_what_kubernetes_sets_for_its_services_is_no_mistake() -> None:
    assert load({"POSTHORN_HTTP_PORT": "tcp://10.0.0.1:80"}).settings == Settings()


def test_no_secret_shows_in_representations_lists_or_errors() -> None:
    environ = {
        "POSTHORN_DB__URL": f"postgresql://shop:{CANARY}@db/posthorn?password={CANARY}",
        "POSTHORN_AMQP__MANAGEMENT_URL": f"http://shop:{CANARY}@mq:15672",
        "POSTHORN_VAULT__KEYS__1": CANARY,
        "POSTHORN_VAULT__INDEX": CANARY,
        "POSTHORN_VAULT__PEPPER": CANARY,
        "POSTHORN_PROVIDERS__MAILER__KIND": "smtp",
        "POSTHORN_PROVIDERS__MAILER__USER": "shop",
        "POSTHORN_PROVIDERS__MAILER__PASSWORD": CANARY,
    }
    loaded = load(environ)
    listed = "\n".join(f"{setting.key} {shown(setting.value)} {setting}" for setting in loaded.listed())
    assert "postgresql://shop:••••••@db/posthorn" in listed
    assert CANARY not in listed
    assert CANARY not in repr(loaded)
    assert CANARY not in f"{loaded.settings}"
    with pytest.raises(Misconfigured) as error:
        load(environ | {"POSTHORN_AMQP__URL": CANARY})
    assert CANARY not in str(error.value)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        *(("60s", 60), ("10m", 600), ("1h30m", 5400), ("1h 30m", 5400), ("1d", 86400), ("500ms", 0.5)),
        *(("2.5s", 2.5), ("7", 7), (7, 7), (0.5, 0.5), (0, 0)),
    ],
)
def test_durations(text: object, seconds: float) -> None:
    assert duration(text) == timedelta(seconds=seconds)
    assert duration(span(duration(text))) == duration(text)


@pytest.mark.parametrize("text", ["", "soon", "10 parsecs", "-5s", -5, True, None, "1h30", "h"])
def test_what_is_no_duration(text: object) -> None:
    with pytest.raises((ValueError, TypeError)):
        duration(text)


def test_every_setting_says_what_it_is() -> None:
    assert [setting.key for setting in load({}).listed() if not setting.description] == []
