"""Attempts whose outcome is unknown."""

from dependency_injector import containers, providers

from adapters.postgres.attempt.unknown_attempts import PostgresUnknownAttempts
from application.attempt.resolve import ResolveAttempt
from config.wiring.kernel import KernelRoom
from config.wiring.rooms import needs

Single = providers.Singleton


class AttemptRoom(containers.DeclarativeContainer):
    """What waits for somebody to say whether it was sent."""

    kernel = needs(KernelRoom)

    unknown = Single(
        PostgresUnknownAttempts, database=kernel.database, process=kernel.process, ids=kernel.ids
    )
    resolve = Single(ResolveAttempt, unknown=unknown, handoff=kernel.handoff)
