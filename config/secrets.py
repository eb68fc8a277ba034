"""Keys, URLs and TLS contexts made from the secrets in the settings."""

import base64
import os
import ssl
from pathlib import Path

from adapters.crypto.vault import LocalVault, derive
from config.connections import Tls, TlsMode
from config.settings import Settings, VaultKeys
from config.sources import env_name
from domain.kernel.errors import Misconfigured
from domain.kernel.secret import Secret

KEY_BYTES = 32
DB_EXAMPLE = "postgresql://user:password@host:5432/posthorn"
_MAKE_ONE = "make one with `openssl rand -base64 32`"


def vault(settings: Settings) -> LocalVault:
    """The vault of personal data.

    Raises:
        Misconfigured: no keys, or unusable ones.
    """
    keys = settings.vault
    if keys.keys and keys.index is not None:
        versions = {version: _decoded(f"vault.keys.{version}", key) for version, key in keys.keys.items()}
        return LocalVault(versions, keys.current, _decoded("vault.index", keys.index))
    return LocalVault.from_master(_master(keys))


def pepper(settings: Settings) -> bytes:
    """The key under which API keys are digested: vault.pepper, or derived from vault.secret.

    Raises:
        Misconfigured: neither is set, or it cannot be used.
    """
    keys = settings.vault
    return _decoded("vault.pepper", keys.pepper) if keys.pepper else derive(_master(keys), "pepper")


def dsn(settings: Settings) -> str:
    """The URL of the database.

    Raises:
        Misconfigured: db.url is not set.
    """
    return required("db.url", settings.db.url, DB_EXAMPLE).reveal()


def cursor_key(settings: Settings) -> bytes:
    """The key that signs the cursors of lists; the same in every process."""
    return derive(pepper(settings), "cursor")


def spelled_out(settings: Settings) -> dict[str, str]:
    """The keys that vault.secret stands for, as settings of their own: what a rotation begins with.

    Raises:
        Misconfigured: vault.secret is not set.
    """
    master = _master(settings.vault)
    purposes = {"vault.keys.1": "kek", "vault.index": "index", "vault.pepper": "pepper"}
    return {key: base64.b64encode(derive(master, purpose)).decode() for key, purpose in purposes.items()}


def generated(path: Path) -> Secret:
    """Read the master secret of embedded mode, which is made once and kept beside the data.

    Raises:
        Misconfigured: the file cannot be read or written.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            draft = path.with_suffix(".new")
            draft.touch(mode=0o600)
            draft.write_text(base64.b64encode(os.urandom(KEY_BYTES)).decode(), encoding="ascii")
            draft.rename(path)
        return Secret(path.read_text(encoding="ascii"))
    except OSError as fault:
        raise Misconfigured(f"the key file {path} cannot be used: {fault.strerror}") from None


def tls(key: str, settings: Tls) -> ssl.SSLContext | None:
    """TLS as a section of the settings says; None when it is off.

    Args:
        key: of the section, for messages.

    Raises:
        Misconfigured: a file cannot be used.
    """
    if settings.mode is TlsMode.OFF:
        return None
    try:
        context = ssl.create_default_context(cafile=str(settings.ca) if settings.ca else None)
        if settings.cert and settings.key:
            context.load_cert_chain(settings.cert, settings.key)
    except OSError as fault:  # ssl.SSLError is one
        raise Misconfigured(f"{key}: its files cannot be used: {fault}") from None
    if settings.mode is TlsMode.NO_VERIFY:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def required(key: str, value: Secret | None, example: str) -> Secret:
    """Return a setting that this process needs.

    Raises:
        Misconfigured: it is not set; says how.
    """
    if value is None:
        raise Misconfigured(f"{key} is not set: give {env_name(key)}={example}, or `{key}` in posthorn.toml")
    return value


def _master(keys: VaultKeys) -> bytes:
    if keys.secret is None:
        raise Misconfigured(
            f"vault.secret is not set: {_MAKE_ONE}, give it as {env_name('vault.secret')}, or name "
            f"its file in {env_name('vault.secret')}_FILE, and keep it: without it personal data is lost"
        )
    return _decoded("vault.secret", keys.secret, at_least=True)


def _decoded(key: str, secret: Secret, *, at_least: bool = False) -> bytes:
    text = secret.reveal().strip().replace("-", "+").replace("_", "/")
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:  # binascii.Error is one, and so is what letters outside ASCII raise
        raise Misconfigured(f"{key} is not base64: {_MAKE_ONE}") from None
    if len(raw) < KEY_BYTES or (len(raw) > KEY_BYTES and not at_least):
        wanted = f"at least {KEY_BYTES}" if at_least else str(KEY_BYTES)
        raise Misconfigured(f"{key} holds {len(raw)} bytes and needs {wanted}: {_MAKE_ONE}")
    return raw
