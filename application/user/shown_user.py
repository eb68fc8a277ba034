"""A user as the API shows them."""

import msgspec

from application.user.ports import User
from domain.notification.request import Profile


class ShownUser(msgspec.Struct, frozen=True):
    """A row of `users` and its profile, opened."""

    user: User
    profile: Profile
