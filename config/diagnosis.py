"""The checks of `posthorn doctor`: one finding for each part, with the command that mends a fault."""

from collections.abc import AsyncIterator

import msgspec
from alembic.script import ScriptDirectory

from adapters.postgres.core.database import Database
from adapters.postgres.core.migrate import SCRIPTS
from application.provider.ports import IN_APP, SANDBOX
from config import broker_connections
from config.container import Container
from config.lifecycle import built, opened_database
from config.settings import Settings
from domain.kernel.errors import Misconfigured, PosthornError

MIGRATE = "posthorn migrate"
APPLY = "posthorn topology apply"
CREATE_KEY = "posthorn key create NAME"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check."""

    what: str
    fine: bool
    detail: str
    mend: str | None = None
    """The command, or the setting, that helps."""


async def examine(settings: Settings) -> AsyncIterator[Finding]:
    """Check every part; what cannot be checked because a part before it is broken is left out."""
    try:
        container = built(settings)
        container.privacy.vault(), container.access.pepper()
    except Misconfigured as fault:
        yield Finding(what="configuration", fine=False, detail=str(fault), mend="posthorn config show")
        return
    yield Finding(what="configuration", fine=True, detail="complete")
    async with opened_database(container) as database:
        async for finding in _store(container, database):
            yield finding
    async for finding in _broker(container, settings):
        yield finding
    yield _providers(settings)


async def _store(container: Container, database: Database) -> AsyncIterator[Finding]:
    try:
        version = (await database.fetch("SHOW server_version"))[0][0]
    except PosthornError as fault:
        yield Finding(what="database", fine=False, detail=str(fault), mend="set db.url, or start PostgreSQL")
        return
    yield Finding(what="database", fine=True, detail=f"PostgreSQL {version}")
    try:
        revision = (await database.fetch("SELECT version_num FROM alembic_version"))[0][0]
        head = ScriptDirectory(str(SCRIPTS)).get_current_head()
        at_head = revision == head
        detail = f"at revision {revision}" + ("" if at_head else f", this release needs {head}")
        yield Finding(what="tables", fine=at_head, detail=detail, mend=None if at_head else MIGRATE)
        if at_head:
            yield await _sealed(container)
            yield await _keys(container)
    except PosthornError as fault:
        yield Finding(what="tables", fine=False, detail=str(fault), mend=MIGRATE)


async def _sealed(container: Container) -> Finding:
    """Whether the configured keys open what is sealed in the database."""
    trouble = (await container.privacy.check()()).trouble
    detail = trouble or "can be read with the configured keys"
    mend = "set vault.secret (or vault.keys) to what it was when the data was written" if trouble else None
    return Finding(what="personal data", fine=trouble is None, detail=detail, mend=mend)


async def _keys(container: Container) -> Finding:
    now = container.kernel.clock().now()
    usable = [
        key
        for key in await container.access.api_keys().all()
        if key.revoked_at is None and (key.expires_at is None or key.expires_at > now)
    ]
    detail = f"{len(usable)} in use" if usable else "none: nobody can call the API"
    return Finding(what="API keys", fine=bool(usable), detail=detail, mend=None if usable else CREATE_KEY)


async def _broker(container: Container, settings: Settings) -> AsyncIterator[Finding]:
    try:
        link = container.broker.publishing()
        await link.open()
        trouble = link.trouble
        await link.close()
    except Misconfigured as fault:
        yield Finding(what="broker", fine=False, detail=str(fault), mend="set amqp.url")
        return
    if trouble is not None:
        yield Finding(what="broker", fine=False, detail=trouble, mend="set amqp.url, or start RabbitMQ")
        return
    yield Finding(what="broker", fine=True, detail=f"RabbitMQ at {broker_connections.endpoint(settings)}")
    try:
        async with broker_connections.management(settings) as management:
            differences = await management.check(broker_connections.described_topology(settings))
    except PosthornError as fault:
        yield Finding(what="topology", fine=False, detail=str(fault), mend="set amqp.management_url")
        return
    detail = f"{len(differences)} differences, first: {differences[0]}" if differences else "as it must be"
    yield Finding(what="topology", fine=not differences, detail=detail, mend=APPLY if differences else None)


def _providers(settings: Settings) -> Finding:
    real = [name for name, provider in settings.providers.items() if provider.kind() not in {SANDBOX, IN_APP}]
    detail = ", ".join(real) if real else "the sandbox alone: nothing leaves this machine"
    mend = None if real else "set providers.<name>.kind, and name it in PUT /api/channels/email"
    return Finding(what="providers", fine=bool(real), detail=detail, mend=mend)
