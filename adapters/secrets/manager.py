"""A secret manager that speaks HashiCorp Vault's API: version 2 of its key-value engine (Vault, OpenBao).

`GET /v1/{mount}/data/{path}`, https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2.
"""

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import aiohttp
import msgspec

from domain.kernel.errors import SecretUnavailable
from domain.kernel.secret import Secret

READ_MAX = 1024 * 1024
_STATUSES: Mapping[int, str] = {
    400: "the request is refused: is `secrets.mount` a key-value engine of version 2?",
    403: "the token is refused, or may not read it",
    404: "there is no such entry",
    429: "too many calls, or a standby node was asked",
    473: "a standby node was asked",
    503: "it is sealed, or in maintenance",
}


class _Entry(msgspec.Struct):
    data: dict[str, msgspec.Raw] | None = None
    """None: its newest version is deleted."""


class _Answer(msgspec.Struct):
    data: _Entry


@dataclass(slots=True, kw_only=True)
class KeyValueManager:
    """Reads entries.  A call has a connection of its own: there are few, and tokens change.

    Args:
        url: where it is, without a path.
        mount: path of the key-value engine.
        token: asked for before every call, for it may be renewed by an agent; raises SecretUnavailable.
    """

    url: str
    mount: str
    token: Callable[[], Secret]
    namespace: str | None = None
    timeout: timedelta = timedelta(seconds=5)
    tls: ssl.SSLContext | None = field(default=None, repr=False)

    async def read(self, path: str) -> Mapping[str, Secret]:
        """The newest version of an entry, by field; numbers and the like as JSON has them.

        Raises:
            SecretUnavailable: there is none, it may not be read, or nobody answers.
        """
        url = f"{self.url.rstrip('/')}/v1/{self.mount.strip('/')}/data/{path}"
        headers = {"X-Vault-Request": "true", "X-Vault-Token": self.token().reveal()}
        if self.namespace:
            headers["X-Vault-Namespace"] = self.namespace
        try:
            async with (
                aiohttp.ClientSession(
                    connector=aiohttp.TCPConnector(ssl=True if self.tls is None else self.tls),
                    timeout=aiohttp.ClientTimeout(total=self.timeout.total_seconds()),
                    trust_env=False,
                ) as session,
                session.get(url, headers=headers, allow_redirects=False) as answer,
            ):
                status, body = answer.status, await _read(answer)
        except TimeoutError:
            raise SecretUnavailable("the secret manager does not answer in time") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:  # their words quote URL and headers
            raise SecretUnavailable(f"the secret manager does not answer: {type(error).__name__}") from None
        if status != 200:
            meaning = _STATUSES.get(status, "its answer is no entry")
            raise SecretUnavailable(f"the secret manager answers {status}: {meaning}")
        return _fields(body)


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for part in answer.content.iter_chunked(64 * 1024):
        content += part
        if len(content) > READ_MAX:
            answer.close()
            raise ValueError("too long")
    return bytes(content)


def _fields(body: bytes) -> Mapping[str, Secret]:
    try:
        data = msgspec.json.decode(body, type=_Answer).data.data
        texts = {name: _text(raw) for name, raw in (data or {}).items()}
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise SecretUnavailable("the secret manager answers what is no entry of version 2") from None
    if data is None:
        raise SecretUnavailable("the entry is deleted from the secret manager")
    return {name: Secret(text) for name, text in texts.items()}


def _text(raw: msgspec.Raw) -> str:
    """A text as it is; anything else as JSON has it."""
    written = bytes(raw)
    return msgspec.json.decode(written, type=str) if written.startswith(b'"') else written.decode()
