"""Reading sealed profiles for a page."""

from uuid import UUID

from application.privacy.ports import Unreadable, Vault
from application.privacy.sealing import open_profile
from domain.notification.request import Profile


def opened(vault: Vault, user: UUID, data_key: bytes | None, profile: bytes | None) -> Profile:
    """The profile, empty when it was erased or cannot be read: a page is not spoilt by one row."""
    if data_key is None or profile is None:
        return Profile()
    try:
        return open_profile(vault.unwrap(data_key, user), user, profile)
    except Unreadable:
        return Profile()
