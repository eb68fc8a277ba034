"""Where referenced secrets come from: a section of the settings, and the sources it stands for."""

import asyncio
import os
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from adapters.secrets.manager import KeyValueManager
from adapters.secrets.referenced import ReferencedSecrets
from application.kernel.ports import Clock
from application.secret.ports import Secrets
from config.section import Section
from config.sources import read_text
from domain.kernel.errors import Misconfigured, SecretUnavailable
from domain.kernel.secret import Secret
from domain.secret.reference import Scope


class SecretSettings(Section, frozen=True):
    """Secrets by reference: the secret manager, and what may be named over the API."""

    url: Annotated[
        str | None,
        Meta(description="secret manager with the API of HashiCorp Vault: `https://vault.example:8200`"),
    ] = None
    token: Annotated[Secret | None, Meta(description="its token")] = None
    token_path: Annotated[
        Path | None, Meta(description="instead of `token`: file that an agent keeps it in, read every time")
    ] = None
    mount: Annotated[str, Meta(description="path of its key-value engine, version 2")] = "secret"
    namespace: Annotated[str | None, Meta(description="its namespace")] = None
    ca: Annotated[Path | None, Meta(description="PEM file of its authority; none: the system's")] = None
    timeout: Annotated[timedelta, Meta(description="longest time of a call to it")] = timedelta(seconds=5)
    fresh: Annotated[timedelta, Meta(description="an entry of it is read again after this")] = timedelta(
        minutes=5
    )
    env_prefix: Annotated[
        str, Meta(description="the API may name variables whose names begin so: `env:CHANNEL_SECRET_SLACK`")
    ] = "CHANNEL_SECRET_"
    folder: Annotated[
        Path | None, Meta(description="the API may name files in this folder: `file:slack`; none: no files")
    ] = None
    path_prefix: Annotated[
        str | None,
        Meta(description="the API may name entries of the secret manager below this path; none: no entries"),
    ] = None


def of_configuration(settings: SecretSettings, environ: Mapping[str, str], clock: Clock) -> ReferencedSecrets:
    """The secrets that the configuration itself names: any."""
    return _referenced(settings, environ, clock, None)


def of_descriptions(settings: SecretSettings, clock: Clock) -> Secrets:
    """The secrets that may be named by what is saved over the API."""
    return _referenced(settings, os.environ, clock, scope(settings))


def scope(settings: SecretSettings) -> Scope:
    """What may be named by what is saved over the API."""
    folder = None if settings.folder is None else str(settings.folder)
    return Scope(
        env_prefix=settings.env_prefix or None, folder=folder, path_prefix=settings.path_prefix or None
    )


def blocking(secrets: Secrets) -> Callable[[str], str]:
    """For configuration, which is read before there is an event loop, or within one: waits in a thread."""

    async def revealed(reference: str) -> str:
        return (await secrets.get(reference)).reveal()

    def text(reference: str) -> str:
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(asyncio.run, revealed(reference)).result()

    return text


def _referenced(
    settings: SecretSettings, environ: Mapping[str, str], clock: Clock, scope: Scope | None
) -> ReferencedSecrets:
    return ReferencedSecrets(
        environ=environ,
        read_file=_file,
        manager=_manager(settings),
        scope=scope,
        clock=clock,
        fresh=settings.fresh,
    )


def _manager(settings: SecretSettings) -> KeyValueManager | None:
    if settings.url is None:
        return None
    if not settings.url.startswith(("https://", "http://")):
        raise Misconfigured("secrets.url must begin with https:// (or http://)")
    if (settings.token is None) == (settings.token_path is None):
        raise Misconfigured("secrets.url is set: set one of secrets.token and secrets.token_path too")
    return KeyValueManager(
        url=settings.url,
        mount=settings.mount,
        token=lambda: _token(settings),
        namespace=settings.namespace,
        timeout=settings.timeout,
        tls=_tls(settings.ca),
    )


def _token(settings: SecretSettings) -> Secret:
    if settings.token is not None:
        return settings.token
    try:
        return Secret(_file(settings.token_path or Path()).strip())
    except Misconfigured as fault:
        raise SecretUnavailable(f"secrets.token_path: {fault}") from None


def _tls(authority: Path | None) -> ssl.SSLContext | None:
    if authority is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(authority))
    except OSError as fault:  # ssl.SSLError is one
        raise Misconfigured(f"secrets.ca cannot be used: {fault}") from None


def _file(path: Path) -> str:
    return read_text(path, f"the file {path}")
