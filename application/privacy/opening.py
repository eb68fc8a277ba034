"""Opens sealed profiles where one that cannot be read counts as empty."""

from uuid import UUID

from application.privacy.ports import Unreadable, Vault
from application.privacy.sealing import open_profile
from domain.notification.request import Profile


def opened(vault: Vault, user: UUID, data_key: bytes | None, profile: bytes | None) -> Profile:
    """The profile; an empty one when it was erased or cannot be read, so that one row spoils no page."""
    if data_key is None or profile is None:
        return Profile()
    try:
        return open_profile(vault.unwrap(data_key, user), user, profile)
    except Unreadable:
        return Profile()
