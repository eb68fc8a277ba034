"""Bodies of requests about users."""

from typing import Annotated

import msgspec
from msgspec import Meta

from domain.user.update import UserUpdate
from entrypoints.http.kit.fields import OwnAddresses

USER = {
    "customer": {
        "email": "lisa@example.com",
        "phone": "+4930901820",
        "name": "Lisa",
        "locale": "de-DE",
        "timezone": "Europe/Berlin",
    }
}
ERASE = {"a guest": {"email": "guest@example.com"}, "a customer": {"userId": "456"}}


class UserIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """All that is known of a customer: what is left out is forgotten."""

    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(max_length=50, description="E.164, such as +4930901820")] | None = None
    name: Annotated[str, Meta(max_length=255)] | None = None
    locale: Annotated[str, Meta(max_length=35, description="BCP 47, such as pt-BR")] | None = None
    timezone: Annotated[str, Meta(max_length=64, description="IANA, such as Europe/Berlin")] | None = None
    addresses: OwnAddresses = {}

    def update(self, user: str) -> UserUpdate:
        """The same in the application's terms."""
        return UserUpdate(user_id=user, **msgspec.structs.asdict(self))


class EraseIn(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, omit_defaults=True
):
    """Who is to be erased: one of the three."""

    user_id: Annotated[str, Meta(max_length=255, description="the shop's own id of a customer")] | None = None
    email: Annotated[str, Meta(max_length=320)] | None = None
    phone: Annotated[str, Meta(max_length=50, description="E.164, such as +4930901820")] | None = None
    customers: Annotated[
        bool, Meta(description="with an address: customers who have it, too, not only guests")
    ] = False
