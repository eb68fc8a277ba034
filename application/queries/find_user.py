"""One customer, by the shop's own user id."""

from dataclasses import dataclass

from application.ports.people import People
from application.ports.vault import Vault
from application.queries.opening import opened
from application.queries.shown_user import ShownUser
from domain.kernel.errors import NotFound
from domain.kernel.ids import person_id


@dataclass(frozen=True, slots=True, kw_only=True)
class FindUser:
    """Guests have no id of the shop's and are found by their address only."""

    people: People
    vault: Vault

    async def __call__(self, user: str) -> ShownUser:
        """Find them.

        Raises:
            NotFound: unknown or erased.
        """
        wanted = person_id(self.vault.index("user", user))
        person = (await self.people.get([wanted])).get(wanted)
        if person is None or person.data_key is None:
            raise NotFound("no such user")
        return ShownUser(person, opened(self.vault, person.id, person.data_key, person.profile))
