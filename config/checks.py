"""Rules between settings; what a single setting may be is said by its type."""

import re
from datetime import timedelta

from adapters.providers.kit.settings import ProviderSettings
from config.alerts import AlertSettings, allowed, signing_key
from config.content import mailboxes, networks
from config.settings import EngineSettings, Settings, VaultKeys
from config.values import span
from domain.kernel.errors import Misconfigured

LEASE_MARGIN = timedelta(seconds=10)
"""For rendering and for writing down how the call ended."""


_CHANNEL = re.compile(r"[a-z][a-z0-9_]{0,49}")
"""Part of the names of queues."""
_STATEMENT_MAX = timedelta(days=24)  # PostgreSQL counts milliseconds in 31 bits


def cross_check(settings: Settings) -> None:
    """Check the rules between settings.

    Raises:
        Misconfigured: keys that do not go together.
    """
    _vault(settings.vault)
    _engine(settings.engine)
    _alerts(settings.alerts)
    mailboxes(settings.senders)
    networks(settings.attachments)
    for channel in settings.accepting.channels:
        if not _CHANNEL.fullmatch(channel):
            raise Misconfigured(
                f"accepting.channels names {channel!r}: a channel is a small letter and up to 49 small "
                "letters, digits and _"
            )
    for channel in settings.engine.channels:
        if channel not in settings.accepting.channels:
            raise Misconfigured(
                f"engine.channels names {channel}: add it to accepting.channels, or take one of "
                f"{', '.join(settings.accepting.channels)}"
            )
    if settings.db.statement_max > _STATEMENT_MAX:
        raise Misconfigured(
            f"db.statement_max is {span(settings.db.statement_max)}: give 0, or at most "
            f"{span(_STATEMENT_MAX)}"
        )
    for name, tls in (("db", settings.db.tls), ("amqp", settings.amqp.tls)):
        if (tls.cert is None) != (tls.key is None):
            lacking = "key" if tls.key is None else "cert"
            raise Misconfigured(f"{name}.tls.{lacking} is not set: a certificate and its key come together")
    for klass, policy in settings.policies.by_class().items():
        if policy.retries < 0:
            raise Misconfigured(f"policies.{klass}.retries is {policy.retries}: give 0 or more")
    for name, provider in settings.providers.items():
        _provider(f"providers.{name}", provider, settings.engine)


def _vault(vault: VaultKeys) -> None:
    if vault.secret and vault.keys:
        raise Misconfigured("vault.secret and vault.keys exclude each other: set one of them")
    if not vault.keys:
        return
    if vault.index is None:
        raise Misconfigured("vault.index is not set: vault.keys needs it beside, base64 of 32 random bytes")
    if vault.pepper is None:
        raise Misconfigured("vault.pepper is not set: vault.keys needs it beside, base64 of 32 random bytes")
    if vault.current not in vault.keys:
        raise Misconfigured(f"vault.current is {vault.current}: set vault.keys.{vault.current} too")


def _engine(engine: EngineSettings) -> None:
    if engine.lease < engine.call_max + LEASE_MARGIN:
        raise Misconfigured(
            f"engine.lease is {span(engine.lease)}: it must be at least {span(LEASE_MARGIN)} longer than "
            f"engine.call_max, which is {span(engine.call_max)}"
        )
    if engine.reserve >= engine.slots:
        raise Misconfigured(
            f"engine.reserve is {engine.reserve}: it must be less than engine.slots, {engine.slots}"
        )


def _alerts(alerts: AlertSettings) -> None:
    if alerts.url is not None and not alerts.url.reveal().startswith(("https://", "http://")):
        raise Misconfigured(f"alerts.url is {alerts.url}: it must begin with https:// (or http://)")
    if not allowed(alerts) and alerts.url is not None and not alerts.url.reveal().startswith("https://"):
        raise Misconfigured(
            f"alerts.url is {alerts.url}: it must begin with https://, or alerts.networks name where it leads"
        )
    if alerts.url is not None or alerts.secret is not None:
        signing_key(alerts)


def _provider(key: str, provider: ProviderSettings, engine: EngineSettings) -> None:
    if provider.begins_within > engine.call_max:
        raise Misconfigured(
            f"{key}.timeout is {span(provider.begins_within)}: it must not be longer than engine.call_max, "
            f"which is {span(engine.call_max)}"
        )
    for setting, fault in provider.faults():
        raise Misconfigured(f"{key}.{setting} {fault}")
