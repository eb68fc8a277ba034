"""Keys in use: AES-256-GCM, and what may be said of them in a log: nothing."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from application.privacy.ports import DataKey, Unreadable

KEY_BYTES = 32
_NONCE_BYTES = 12
_TAG_BYTES = 16


class AesKey:
    """Implements `DataKey`.  Sealed: nonce (96 random bits), ciphertext, tag (128 bits).

    Random nonces are good for 2^32 messages of one key (NIST SP 800-38D, 8.3): far beyond any user's mail.
    """

    __slots__ = ("_cipher", "_raw")

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(raw)}")
        self._raw = raw
        self._cipher = AESGCM(raw)

    def __repr__(self) -> str:
        return "AesKey(***)"

    def __reduce__(self) -> str:
        raise TypeError("keys are not pickled or copied")

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """Nonce, ciphertext and tag in one."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plaintext, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Read back.

        Raises:
            Unreadable: another key, another context, or changed.
        """
        if len(sealed) < _NONCE_BYTES + _TAG_BYTES:
            raise Unreadable("sealed data is cut short")
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], context)
        except InvalidTag:
            raise Unreadable("sealed under another key or context, or changed") from None

    def wrap(self, inner: DataKey, context: bytes) -> bytes:
        """Seal another key under this one."""
        if not isinstance(inner, AesKey):
            raise TypeError(f"cannot wrap a {type(inner).__name__}")
        return self.seal(inner._raw, context)  # noqa: SLF001  a key of this very type

    def unwrap(self, wrapped: bytes, context: bytes) -> "AesKey":
        """Read a key back that `wrap` sealed.

        Raises:
            Unreadable: as for `open`.
        """
        return AesKey(self.open(wrapped, context))
