"""A person of the mirror as the API shows them."""

import msgspec

from application.user.ports import Person
from domain.notification.request import Profile


class ShownUser(msgspec.Struct, frozen=True):
    """A row of the mirror and its profile, opened."""

    person: Person
    profile: Profile
