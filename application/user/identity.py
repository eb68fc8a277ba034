"""Ids of users, derived from the shop's user ids and from the addresses of guests.

Test keys have users of their own: the same user id or address gives another id than with a live key, so that
no test reads or changes a customer's row.
"""

from uuid import UUID

from application.privacy.ports import Vault
from domain.kernel.channel import Mode
from domain.kernel.ids import derived_user_id
from domain.user.mailbox import folded


def customer(vault: Vault, user_id: str, mode: Mode) -> UUID:
    """By the shop's own id."""
    return derived_user_id(vault.index(_space("user", mode), user_id))


def guest(
    vault: Vault, mode: Mode, *, email: str | None, phone: str | None, own: tuple[str, str] | None = None
) -> UUID:
    """By the address, an e-mail address before a number; one of them is given, as it is stored.

    Args:
        own: a channel and the address on it, for who has no other one.
    """
    address = f"email:{folded(email)}" if email else f"phone:{phone}"
    if own is not None and not (email or phone):
        address = "own:" + ":".join(own)
    return derived_user_id(vault.index(_space("guest", mode), address))


def email_index(vault: Vault, email: str) -> bytes:
    """The digest (32 bytes) by which an e-mail address is looked up."""
    return vault.index("email", folded(email))


def phone_index(vault: Vault, phone: str) -> bytes:
    """The digest (32 bytes) by which a phone number is looked up."""
    return vault.index("phone", phone)


def _space(name: str, mode: Mode) -> str:
    return name if mode is Mode.LIVE else f"{name}.{mode}"
