"""The keys of personal data, and whether they are those of the data."""

from contextlib import suppress

from dependency_injector import containers, providers

from adapters.crypto.checked import CheckedVault
from adapters.postgres.privacy.proofs import PostgresProofs
from application.privacy.check_keys import CheckKeys
from application.privacy.ports import KeyState
from config import secrets
from domain.kernel.errors import Misconfigured, StoreUnavailable

Single = providers.Singleton


class Keys(containers.DeclarativeContainer):
    """Part of the composition root."""

    settings = providers.Dependency()
    database = providers.Dependency()

    keyring = Single(secrets.vault, settings)
    state = Single(KeyState)
    vault = Single(CheckedVault, keyring, state)
    check = Single(CheckKeys, keyring=keyring, proofs=Single(PostgresProofs, database=database), state=state)


async def right_keys(check: CheckKeys) -> None:
    """Whoever has other keys than the data was sealed under, must not begin.

    While the database is away nobody knows: the vault stays closed, and is looked at again and again.

    Raises:
        Misconfigured: they are not those of the data.
    """
    with suppress(StoreUnavailable):
        if (wrong := (await check()).wrong) is not None:
            raise Misconfigured(wrong)
