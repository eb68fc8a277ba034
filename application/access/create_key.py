"""Make an API key."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from application.access.ports import ApiKey, ApiKeys
from application.access.secret import PREFIX_SHOWN, digest, spell
from application.kernel.ports import Clock, Ids
from domain.kernel.channel import Mode
from domain.kernel.errors import Fault, Invalid
from domain.kernel.secret import Secret
from domain.kernel.text import UNSEEN, hides

NAME_MAX = 100


class CreatedKey(msgspec.Struct, frozen=True):
    """A new key and its secret, which is shown this once: only its digest is kept."""

    key: ApiKey
    secret: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKey:
    """`entropy` gives 32 random bytes, fit for secrets."""

    keys: ApiKeys
    clock: Clock
    ids: Ids
    entropy: Callable[[], bytes] = field(repr=False)
    pepper: bytes = field(repr=False)

    async def __call__(self, name: str, mode: Mode, *, lifetime: timedelta | None = None) -> CreatedKey:
        """Make and save a key; without `lifetime` it does not expire.

        Raises:
            Invalid: its name is too long, or cannot be read by those who are to tell keys apart.
        """
        if not 1 <= len(name) <= NAME_MAX or not name.strip() or hides(name, joiners=True):
            raise Invalid(Fault("/name", "bad_name", f"1 to {NAME_MAX} characters; {UNSEEN}"))
        now = self.clock.now()
        secret = spell(mode, self.entropy())
        key = ApiKey(
            id=self.ids.next(),
            name=name,
            mode=mode,
            prefix=secret[:PREFIX_SHOWN],
            created_at=now,
            expires_at=now + lifetime if lifetime else None,
        )
        await self.keys.add(key, digest(self.pepper, secret))
        return CreatedKey(key, Secret(secret))
