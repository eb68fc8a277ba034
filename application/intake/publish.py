"""Puts requests on the intake while the database is away: sealed, and confirmed by the broker.

`CommitIntake` commits them later.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from application.broker.ports import Outgoing, Publisher
from application.intake.command import INTAKE, Command, seal
from application.notification.prepare import Prepared
from application.notification.submit import Submitted
from application.privacy.ports import ServiceKey
from domain.kernel.errors import BrokerUnavailable, PosthornError, Unavailable

MESSAGE_MAX = 512 * 1024
"""Bytes of one sealed command; usual requests have at most 400 KiB.  A larger one is refused until the
database is back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishToIntake:
    """Set-wise; a notification keeps the id that it got when it was prepared."""

    publisher: Publisher
    key: ServiceKey

    async def __call__(self, commands: Sequence[Prepared]) -> list[Submitted | PosthornError]:
        """One answer each, in order; none before the broker's confirm."""
        messages = [_message(prepared, self.key) for prepared in commands]
        small_enough = [message for message in messages if len(message.body) <= MESSAGE_MAX]
        trouble: PosthornError = BrokerUnavailable("the broker did not confirm")
        confirmed: frozenset[UUID] = frozenset()
        try:
            if small_enough:
                confirmed = frozenset((await self.publisher.publish(small_enough)).confirmed)
        except Unavailable as away:
            trouble = away
        return [
            Submitted(message.id, replayed=False, degraded=True) if message.id in confirmed else trouble
            for message in messages
        ]


def _message(prepared: Prepared, key: ServiceKey) -> Outgoing:
    command = Command(
        id=prepared.id,
        request=prepared.request,
        channel=prepared.channel,
        template_version=prepared.template.version if prepared.template else None,
        key=prepared.key,
        fingerprint=prepared.fingerprints[0],
    )
    return Outgoing(id=prepared.id, queue=INTAKE, body=seal(command, key))
