"""The vault that keeps its key-encryption keys in this process, as configuration gave them."""

import hmac
import os
from collections.abc import Mapping
from typing import Self
from uuid import UUID

from cachetools import LRUCache
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from adapters.crypto.keys import KEY_BYTES, AesKey
from application.privacy.ports import DataKey, Sample, Unreadable
from application.privacy.sealing import open_profile
from application.user.identity import customer, guest
from domain.kernel.channel import Mode
from domain.kernel.errors import KeyUnavailable, Misconfigured

_VERSION_MAX = 255
_CACHED_KEYS = 8192
_PROOF = b"posthorn"


def derive(secret: bytes, purpose: str) -> bytes:
    """A key of its own for each purpose (`kek`, `index`, `pepper`), from one secret (HKDF-SHA256, RFC 5869).

    Raises:
        Misconfigured: the secret is shorter than a key.
    """
    if len(secret) < KEY_BYTES:
        raise Misconfigured(f"a master secret has at least {KEY_BYTES} random bytes, not {len(secret)}")
    info = f"posthorn/v1/{purpose}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=KEY_BYTES, salt=None, info=info).derive(secret)


class LocalVault:
    """Implements `Vault`, `ServiceKey` and `Keyring`.

    What is sealed or wrapped begins with one byte: the version of the key-encryption key that did it.  To
    rotate, add a version and make it `current`; what older versions sealed still opens as long as they are
    configured.
    The index key cannot change without computing every index anew.
    """

    def __init__(
        self, keys: Mapping[int, bytes], current: int, index_key: bytes, *, cached: int = _CACHED_KEYS
    ) -> None:
        """`cached`: how many unwrapped keys are kept at hand.

        Raises:
            Misconfigured: a key of the wrong size, a version that is not one byte, no current key.
        """
        named = {f"key {version}": key for version, key in keys.items()} | {"index key": index_key}
        for name, key in named.items():
            if len(key) != KEY_BYTES:
                raise Misconfigured(f"the vault's {name} has {len(key)} bytes, not {KEY_BYTES} random ones")
        if wrong := [version for version in keys if not 0 <= version <= _VERSION_MAX]:
            raise Misconfigured(f"versions of the vault's keys go from 0 to {_VERSION_MAX}, not {wrong[0]}")
        if current not in keys:
            raise Misconfigured(f"the vault's current key is version {current}, which is not configured")
        self._keys = {version: AesKey(key) for version, key in keys.items()}
        self._current = current
        self._index_key = index_key
        self._unwrapped: LRUCache[bytes, AesKey] = LRUCache(cached)

    def __repr__(self) -> str:
        return "LocalVault(***)"

    @classmethod
    def from_master(cls, secret: bytes) -> Self:
        """A vault whose keys all come from one secret; its key-encryption key is version 1.

        To rotate later, configure keys by themselves: `derive(secret, "kek")` as version 1 and
        `derive(secret, "index")` as index key, next to the new version.

        Raises:
            Misconfigured: the secret is too short.
        """
        return cls({1: derive(secret, "kek")}, 1, derive(secret, "index"))

    def create(self) -> AesKey:
        """A fresh random key."""
        return AesKey(os.urandom(KEY_BYTES))

    def wrap(self, key: DataKey, user: UUID) -> bytes:
        """Wrap a user's key under the current key-encryption key; its version stands in the result."""
        version = self._current.to_bytes(1, "big")
        return version + self._keys[self._current].wrap(key, _context(user, version))

    def unwrap(self, wrapped: bytes, user: UUID) -> AesKey:
        """Read a user's key back.

        Raises:
            Unreadable: moved to another user, or changed.
            KeyUnavailable: its key-encryption key is not configured.
        """
        name = wrapped + user.bytes  # with the user: a moved key must not open because it was seen before
        key = self._unwrapped.get(name)
        if key is None:
            key = self._unwrapped[name] = self._sealer(wrapped).unwrap(
                wrapped[1:], _context(user, wrapped[:1])
            )
        return key

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Seal for the service under the current key-encryption key."""
        version = self._current.to_bytes(1, "big")
        return version + self._keys[self._current].seal(plaintext, _service_context(context, version))

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Read back.

        Raises:
            Unreadable: another context, or changed.
            KeyUnavailable: its key-encryption key is not configured.
        """
        return self._sealer(sealed).open(sealed[1:], _service_context(context, sealed[:1]))

    def index(self, kind: str, value: str) -> bytes:
        """Blind index: HMAC-SHA256 of kind and value, with a zero between them."""
        return hmac.digest(self._index_key, kind.encode() + b"\0" + value.encode(), "sha256")

    @property
    def current(self) -> int:
        """The version that seals."""
        return self._current

    def prove(self, version: int | None) -> bytes:
        """See `Keyring`."""
        if version is None:
            return self.index("proof", "posthorn")
        return self._key(version).seal(_PROOF, _service_context(_PROOF, bytes([version])))

    def proves(self, version: int | None, proof: bytes) -> bool:
        """See `Keyring`."""
        if version is None:
            return hmac.compare_digest(proof, self.prove(None))
        try:
            return self._key(version).open(proof, _service_context(_PROOF, bytes([version]))) == _PROOF
        except Unreadable:
            return False

    def opens(self, sample: Sample) -> bool:
        """See `Keyring`."""
        try:
            profile = open_profile(self.unwrap(sample.data_key, sample.user), sample.user, sample.profile)
        except Unreadable:
            return False
        user_id, email, phone = profile.user_id, profile.email, profile.phone
        if not (user_id or email or phone):
            return True
        return sample.user in {
            customer(self, user_id, mode) if user_id else guest(self, mode, email=email, phone=phone)
            for mode in Mode
        }

    def _sealer(self, sealed: bytes) -> AesKey:
        """The key-encryption key that made it."""
        if not sealed:
            raise Unreadable("sealed data is empty")
        return self._key(sealed[0])

    def _key(self, version: int) -> AesKey:
        key = self._keys.get(version)
        if key is None:
            raise KeyUnavailable(
                f"data is sealed under key {version}, which this process has not: set vault.keys.{version}"
            )
        return key


def _context(user: UUID, version: bytes) -> bytes:
    return b"users.data_key:" + user.bytes + version


def _service_context(context: bytes, version: bytes) -> bytes:
    return b"service:" + context + version
