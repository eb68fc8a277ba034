"""The settings: frozen structs, one per section; `config.load` fills them.

A setting's description stands in its type (`Meta`), where the documentation and the error messages find it.
What has no default and is not optional in every process is None here; the composition root says who needs it.
"""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from adapters.providers.in_app.in_app import InAppSettings
from adapters.providers.kit.settings import ProviderSettings
from adapters.providers.sandbox import SandboxSettings
from application.provider.ports import IN_APP, SANDBOX
from config.alerts import AlertSettings
from config.connections import Amqp, Db, Http
from config.content import AttachmentSettings, SenderSettings
from config.secret_sources import SecretSettings
from config.section import Section
from domain.delivery.policy import DEFAULT_POLICIES, RetryPolicy
from domain.kernel.bounds import Count
from domain.kernel.channel import CHANNELS, NotificationClass, Priority
from domain.kernel.secret import Secret

PriorityName = Literal["critical", "high", "medium", "low"]


class VaultKeys(Section, frozen=True):
    """Keys of personal data: one secret from which all are derived, or each by itself, for rotation."""

    secret: Annotated[
        Secret | None, Meta(description="base64 of at least 32 random bytes: `openssl rand -base64 32`")
    ] = None
    keys: Annotated[
        dict[int, Secret],
        Meta(description="instead of `secret`: key-encryption keys by version (1, 2, …), base64 of 32 bytes"),
    ] = msgspec.field(default_factory=dict)
    current: Annotated[int, Meta(description="with `keys`: the version that seals")] = 1
    index: Annotated[
        Secret | None, Meta(description="with `keys`: key of the blind index; never change it")
    ] = None
    pepper: Annotated[
        Secret | None, Meta(description="key of the digests of API keys; none: derived from `secret`")
    ] = None


POLICY_TEXTS = {
    "retries": "fast retries; attempts are one more",
    "delay_max": "longest wait between fast retries, and the wait between slow ones",
    "patience": "so long slow retries go on: the sum of their waits",
    "lifetime": "counted from acceptance: no attempt begins after it",
    "on_unknown": "after a call with unknown outcome: `resend` may send twice, `fail_over` sooner, by "
    "another provider; `hold` waits for somebody, "
    "`reconcile` asks the provider first, and holds what it cannot know",
    "address_patience": "how long a delivery waits for its recipient's address",
}
"""The policies are the domain's own struct; their descriptions stand here."""


class Policies(Section, frozen=True):
    """How patient each class of notifications is."""

    otp: RetryPolicy = DEFAULT_POLICIES[NotificationClass.OTP]
    transactional: RetryPolicy = DEFAULT_POLICIES[NotificationClass.TRANSACTIONAL]
    marketing: RetryPolicy = DEFAULT_POLICIES[NotificationClass.MARKETING]

    def by_class(self) -> dict[NotificationClass, RetryPolicy]:
        """The policies by class."""
        return {klass: getattr(self, klass.value) for klass in NotificationClass}


class Weights(Section, frozen=True):
    """How the lanes of a process share its slots while several of them have work."""

    critical: Annotated[Count, Meta(description="deliveries of a critical lane")] = 8
    high: Annotated[Count, Meta(description="to so many of a high one")] = 4
    medium: Annotated[Count, Meta(description="to so many of a medium one")] = 2
    low: Annotated[Count, Meta(description="to so many of a low one")] = 1

    def by_priority(self) -> dict[Priority, int]:
        """The weights by priority."""
        return {priority: getattr(self, priority.label) for priority in Priority}


class EngineSettings(Section, frozen=True):
    """The delivery actors of one process."""

    channels: Annotated[
        tuple[str, ...], Meta(description="channels whose lanes this process works on; none: all")
    ] = ()
    priorities: Annotated[
        tuple[PriorityName, ...], Meta(description="priorities whose lanes this process works on")
    ] = ("critical", "high", "medium", "low")
    slots: Annotated[Count, Meta(description="deliveries in work at a time, all lanes together")] = 2000
    reserve: Annotated[Count, Meta(description="of these, how many are kept for critical deliveries")] = 100
    prefetch: Annotated[Count, Meta(description="messages taken ahead, per lane")] = 512
    test_slots: Annotated[
        int, Meta(ge=0, description="of their own, for what test keys send; 0: not worked on here")
    ] = 50
    weights: Weights = Weights()
    call_max: Annotated[
        timedelta, Meta(description="bound of a call's beginning: see `providers.NAME.timeout`")
    ] = timedelta(seconds=30)
    lease: Annotated[
        timedelta,
        Meta(
            description="how long a delivery is ours, renewed while its call is under way; at least 10 s "
            "longer than `call_max`"
        ),
    ] = timedelta(seconds=45)


class Accepting(Section, frozen=True):
    """Accepting notifications."""

    channels: Annotated[
        tuple[str, ...], Meta(description="channels there are; after a change: `posthorn topology apply`")
    ] = CHANNELS
    rows_max: Annotated[Count, Meta(description="most rows (notifications and deliveries) of one commit")] = (
        1000
    )
    queue_max: Annotated[
        Count,
        Meta(description="most rows that wait for a commit; who comes then is told to come again (503)"),
    ] = 20_000
    committers: Annotated[Count, Meta(description="commits under way at a time")] = 1
    pack_from: Annotated[
        Count,
        Meta(description="messages waiting for the broker from which on strangers share one (up to 100)"),
    ] = 16


class Relaying(Section, frozen=True):
    """The relay of the outbox."""

    handoff: Annotated[Count, Meta(description="messages handed over in memory; the rest goes by sweep")] = (
        20_000
    )
    sweep: Annotated[timedelta, Meta(description="time between two looks for rows left behind")] = timedelta(
        seconds=5
    )
    away_max: Annotated[
        timedelta,
        Meta(
            description="an API that gets nothing published for longer is not ready; `0s`: it is, and "
            "accepts into the outbox alone"
        ),
    ] = timedelta(seconds=30)


class Describing(Section, frozen=True):
    """Providers that are described through the API."""

    networks: Annotated[
        tuple[str, ...],
        Meta(description="networks that they may call though they are not public, such as `10.1.2.0/24`"),
    ] = ()


class SandboxLedger(Section, frozen=True):
    """The ground truth of fault tests."""

    ledger: Annotated[
        Path | None, Meta(description="file to which the sandbox writes what it accepted, one JSON line each")
    ] = None


class LogFormat(StrEnum):
    """How log lines look."""

    JSON = "json"
    CONSOLE = "console"


class LogLevel(StrEnum):
    """From which level on lines are written."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class Log(Section, frozen=True):
    """Logging, to stderr."""

    level: Annotated[LogLevel, Meta(description="lines below it are left out")] = LogLevel.INFO
    format: Annotated[LogFormat, Meta(description="`json` for machines, `console` for people")] = (
        LogFormat.JSON
    )


class Settings(Section, frozen=True):
    """All settings of a process."""

    db: Db = Db()
    amqp: Amqp = Amqp()
    http: Http = Http()
    vault: VaultKeys = VaultKeys()
    secrets: SecretSettings = SecretSettings()
    providers: dict[str, ProviderSettings] = msgspec.field(
        default_factory=lambda: {SANDBOX: SandboxSettings(), IN_APP: InAppSettings()}
    )
    policies: Policies = Policies()
    accepting: Accepting = Accepting()
    engine: EngineSettings = EngineSettings()
    relay: Relaying = Relaying()
    alerts: AlertSettings = AlertSettings()
    senders: dict[str, SenderSettings] = msgspec.field(default_factory=dict)
    attachments: AttachmentSettings = AttachmentSettings()
    described: Describing = Describing()
    sandbox: SandboxLedger = SandboxLedger()
    log: Log = Log()
