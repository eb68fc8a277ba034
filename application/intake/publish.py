"""Promise notifications while the database is away: sealed, confirmed by the broker, committed later.

See `CommitIntake` for what becomes of them.
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
"""Bytes of one command; the largest request that is told in ordinary words has about 400 KiB, sealed.  What
is larger has to wait for the database."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishToIntake:
    """Set-wise; the ids are those that were minted when the requests were prepared."""

    publisher: Publisher
    key: ServiceKey

    async def __call__(self, commands: Sequence[Prepared]) -> list[Submitted | PosthornError]:
        """One answer each, in order; none before the broker's confirm."""
        letters = [_letter(prepared, self.key) for prepared in commands]
        fit = [letter for letter in letters if len(letter.body) <= MESSAGE_MAX]
        trouble: PosthornError = BrokerUnavailable("the broker did not confirm")
        confirmed: frozenset[UUID] = frozenset()
        try:
            if fit:
                confirmed = frozenset((await self.publisher.publish(fit)).confirmed)
        except Unavailable as away:
            trouble = away
        return [
            Submitted(letter.id, replayed=False, degraded=True) if letter.id in confirmed else trouble
            for letter in letters
        ]


def _letter(prepared: Prepared, key: ServiceKey) -> Outgoing:
    command = Command(
        id=prepared.id,
        request=prepared.request,
        channel=prepared.channel,
        template_version=prepared.template.version if prepared.template else None,
        key=prepared.key,
        fingerprint=prepared.fingerprints[0],
    )
    return Outgoing(id=prepared.id, queue=INTAKE, body=seal(command, key))
