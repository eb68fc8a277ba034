"""Sealing and opening personal data, and the keys for it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import msgspec


class DataKey(Protocol):
    """A key in use (AES-256-GCM); `context` is authenticated: table, column and row it belongs to."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Nonce, ciphertext and tag in one."""
        ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Read back.

        Raises:
            Unreadable: another key, another context, or changed.
        """
        ...

    def wrap(self, inner: "DataKey", context: bytes) -> bytes:
        """Seal another key under this one."""
        ...

    def unwrap(self, wrapped: bytes, context: bytes) -> "DataKey":
        """Read a key back that `wrap` sealed.

        Raises:
            Unreadable: as for `open`.
        """
        ...


class Vault(Protocol):
    """Makes keys, and keeps those of users wrapped under a key that the database never sees."""

    def create(self) -> DataKey:
        """A fresh random key."""
        ...

    def wrap(self, key: DataKey, user: UUID) -> bytes:
        """Wrap a user's key under the current key-encryption key; its version stands in the result."""
        ...

    def unwrap(self, wrapped: bytes, user: UUID) -> DataKey:
        """Read a user's key back.

        Raises:
            Unreadable: moved to another user, or changed.
            KeyUnavailable: its key-encryption key is not at hand; nothing is known of the data then.
        """
        ...

    def index(self, kind: str, value: str) -> bytes:
        """Blind index: keyed digest (32 bytes) of a normalised value, for look-up by equality."""
        ...


class ServiceKey(Protocol):
    """Seals what belongs to the service rather than to one user, and only for a while."""

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Seal under the current key-encryption key; its version stands in the result."""
        ...

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Read back.

        Raises:
            Unreadable: another context, or changed.
            KeyUnavailable: its key-encryption key is not at hand; nothing is known of the data then.
        """
        ...


class Unreadable(Exception):
    """Sealed data that cannot be opened though its key is at hand: moved or changed."""


@dataclass(slots=True)
class KeyState:
    """What is known of the keys of this process."""

    wrong: str | None = "the keys are not checked yet: that needs the database"
    """They are not those of the data (or nobody knows yet): nothing may be sealed, opened or looked up."""
    missing: dict[int, str] = field(default_factory=dict)
    """Versions that seal data and are not configured here, and what to do: that data cannot be opened."""

    @property
    def trouble(self) -> str | None:
        """What is wrong, for operators; None: all keys are available."""
        return self.wrong or next(iter(self.missing.values()), None)


class Sample(msgspec.Struct, frozen=True):
    """A user on file, sealed by whoever wrote it."""

    user: UUID
    data_key: bytes
    profile: bytes


class Proofs(Protocol):
    """The canary rows: one for each key that data was sealed or indexed under, made with that key."""

    async def all(self) -> dict[str, bytes]:
        """By the key's name."""
        ...

    async def add(self, proofs: Mapping[str, bytes]) -> None:
        """Keep those that are not there yet; what stands is never overwritten."""
        ...

    async def sample(self) -> Sample | None:
        """Any user with a profile; None: there is none yet."""
        ...


class Keyring(Protocol):
    """The configured keys, whether or not they are the right ones."""

    @property
    def current(self) -> int:
        """The version that seals."""
        ...

    def prove(self, version: int | None) -> bytes:
        """A proof of the key-encryption key of a version, or (None) of the index key.

        Raises:
            KeyUnavailable: it is not configured.
        """
        ...

    def proves(self, version: int | None, proof: bytes) -> bool:
        """Whether the same key made it.

        Raises:
            KeyUnavailable: it is not configured.
        """
        ...

    def opens(self, sample: Sample) -> bool:
        """Whether a user on file opens, and is found under the index key.

        Raises:
            KeyUnavailable: the key it is sealed under is not configured.
        """
        ...
