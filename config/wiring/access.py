"""Access to the API: keys, and the secrets that digest them and sign cursors."""

import os

from dependency_injector import containers, providers

from adapters.postgres.access.api_keys import PostgresApiKeys
from application.access.authenticate import Authenticate
from application.access.create_key import CreateKey
from application.access.revoke_key import RevokeKey
from config import secrets
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton
ENTROPY_BYTES = 32


class AccessRoom(containers.DeclarativeContainer):
    """API keys are stored as digests under `pepper`."""

    kernel = needs(KernelRoom)

    pepper = Single(secrets.pepper, kernel.settings)
    cursor_key = Single(secrets.cursor_key, kernel.settings)
    api_keys = Single(PostgresApiKeys, database=kernel.database)
    authenticate = Single(Authenticate, keys=api_keys, clock=kernel.clock, pepper=pepper)
    entropy = providers.Object(lambda: os.urandom(ENTROPY_BYTES))
    create_key = Single(
        CreateKey,
        keys=api_keys,
        clock=kernel.clock,
        ids=kernel.ids,
        pepper=pepper,
        entropy=entropy,
    )
    revoke_key = Single(RevokeKey, keys=api_keys, clock=kernel.clock)
