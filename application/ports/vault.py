"""Keys and secrets of persons: envelope encryption and blind look-up."""

from typing import Protocol
from uuid import UUID


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
    """Makes keys, and keeps those of persons wrapped under a key that the database never sees."""

    def create(self) -> DataKey:
        """A fresh random key."""
        ...

    def wrap(self, key: DataKey, person: UUID) -> bytes:
        """Wrap a person's key under the current key-encryption key; its version stands in the result."""
        ...

    def unwrap(self, wrapped: bytes, person: UUID) -> DataKey:
        """Read a person's key back.

        Raises:
            Unreadable: moved to another person, or changed.
            KeyUnavailable: its key-encryption key is not at hand; nothing is known of the data then.
        """
        ...

    def index(self, kind: str, value: str) -> bytes:
        """Blind index: keyed digest (32 bytes) of a normalised value, for look-up by equality."""
        ...


class ServiceKey(Protocol):
    """Seals what belongs to the service rather than to one person, and only for a while."""

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
