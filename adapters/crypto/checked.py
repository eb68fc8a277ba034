"""The vault as the rest of a process sees it: closed until its keys are known to be those of the data."""

from uuid import UUID

from adapters.crypto.keys import AesKey
from adapters.crypto.vault import LocalVault
from application.privacy.ports import DataKey, KeyState
from domain.kernel.errors import KeyUnavailable


class CheckedVault:
    """Implements `Vault` and `ServiceKey`; while it is closed, all but `create` raise `KeyUnavailable`."""

    def __init__(self, vault: LocalVault, state: KeyState) -> None:
        self._vault = vault
        self._state = state

    def __repr__(self) -> str:
        return "CheckedVault(***)"

    def create(self) -> AesKey:
        """See `Vault`."""
        return self._vault.create()

    def wrap(self, key: DataKey, user: UUID) -> bytes:
        """See `Vault`."""
        return self._right().wrap(key, user)

    def unwrap(self, wrapped: bytes, user: UUID) -> AesKey:
        """See `Vault`."""
        return self._right().unwrap(wrapped, user)

    def seal(self, plaintext: bytes, context: bytes) -> bytes:
        """See `ServiceKey`."""
        return self._right().seal(plaintext, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """See `ServiceKey`."""
        return self._right().open(sealed, context)

    def index(self, kind: str, value: str) -> bytes:
        """See `Vault`."""
        return self._right().index(kind, value)

    def _right(self) -> LocalVault:
        if self._state.wrong is not None:
            raise KeyUnavailable(self._state.wrong)
        return self._vault
