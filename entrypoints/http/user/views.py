"""Answers about users."""

from datetime import datetime
from typing import Annotated, Self

from msgspec import Meta

from application.user.erase import Erased
from application.user.shown_user import ShownUser
from entrypoints.http.kit.answers import View


class UserOut(View, frozen=True, kw_only=True):
    """A customer or guest, in `users`."""

    id: Annotated[str | None, Meta(description="the shop's own user id; null for guests")]
    guest: bool
    email: str | None
    phone: str | None
    name: str | None
    locale: str | None
    timezone: str | None
    addresses: dict[str, str]
    created_at: datetime | None
    updated_at: datetime | None

    @classmethod
    def of(cls, shown: ShownUser) -> Self:
        """Made from what the application returns."""
        user = shown.user
        return cls.copy(
            shown.profile,
            id=shown.profile.user_id,
            guest=user.guest,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


class ErasedOut(View, frozen=True, kw_only=True):
    """What was erased, and who has the address and was not."""

    erased: int
    customers_kept: int
    customer_ids: Annotated[tuple[str, ...], Meta(description="of the first hundred of them")]

    @classmethod
    def of(cls, done: Erased) -> Self:
        """Made from what the application returns."""
        return cls(erased=done.erased, customers_kept=done.kept, customer_ids=done.kept_ids)
