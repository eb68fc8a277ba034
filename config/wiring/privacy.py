"""The keys of personal data, and whether they are those of the data."""

from dependency_injector import containers, providers

from adapters.crypto.checked import CheckedVault
from adapters.postgres.privacy.proofs import PostgresProofs
from application.privacy.check_keys import CheckKeys
from application.privacy.ports import KeyState
from config import secrets
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class PrivacyRoom(containers.DeclarativeContainer):
    """Everybody seals and opens with `vault`, which refuses while the keys are wrong or not checked yet."""

    kernel = needs(KernelRoom)

    keyring = Single(secrets.vault, kernel.settings)
    state = Single(KeyState)
    vault = Single(CheckedVault, keyring, state)
    proofs = Single(PostgresProofs, database=kernel.database)
    check = Single(CheckKeys, keyring=keyring, proofs=proofs, state=state)
