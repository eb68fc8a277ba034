"""What is sealed of a leased delivery's user, opened."""

import msgspec

from application.delivery.ports import Leased
from application.privacy.ports import DataKey, Vault
from application.privacy.sealing import open_profile
from domain.notification.request import Profile


class Opened(msgspec.Struct, frozen=True):
    """The user's key and profile."""

    key: DataKey | None
    """None: erased."""
    profile: Profile


def open_leased(leased: Leased, vault: Vault) -> Opened:
    """Open both.

    Raises:
        KeyUnavailable, Unreadable: now, or ever.
    """
    if leased.data_key is None:
        return Opened(None, Profile())
    key = vault.unwrap(leased.data_key, leased.user)
    if leased.profile is None:
        return Opened(key, Profile())
    return Opened(key, open_profile(key, leased.user, leased.profile))
