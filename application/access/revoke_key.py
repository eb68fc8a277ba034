"""Take an API key out of use."""

from dataclasses import dataclass
from uuid import UUID

from application.access.ports import ApiKeys
from application.kernel.ports import Clock
from domain.kernel.errors import NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeKey:
    """A process that has cached the key accepts it for 5 more seconds (see `Authenticate`)."""

    keys: ApiKeys
    clock: Clock

    async def __call__(self, key: UUID) -> None:
        """Revoke.

        Raises:
            NotFound: no such key.
        """
        if not await self.keys.revoke(key, self.clock.now()):
            raise NotFound(f"no API key {key}")
