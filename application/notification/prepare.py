"""From a request to what will be committed: checked against template and addresses, not yet sealed.

Every fault of a request is found, not only the first; pointers are those of the REST body.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.channel.open_channels import OpenChannels
from application.kernel.ports import Ids
from application.notification import identity
from application.notification.choose_routes import ChooseRoutes, ChosenRoutes, SpokenRoute
from application.notification.ports import LegacyKey
from application.notification.request_faults import (
    TEXT_MAX,
    disabled_channel,
    parts_faults,
    text_faults,
    with_unbroken_subject,
)
from application.privacy.ports import Vault
from application.user.identity import customer, email_index, guest, phone_index
from application.user.normalising import normalised, own_addresses
from application.user.ports import Addresses
from domain.kernel.channel import AddressedBy
from domain.kernel.errors import Fault, Invalid
from domain.notification.request import Profile, Recipient, Request, present
from domain.notification.routing import Routing
from domain.template.template import Template
from domain.user.update import FIELDS

RECIPIENTS_MAX = 1_000

Reach = tuple[str, AddressedBy | None]
"""A channel, and what addresses a recipient on it."""


class ResolvedRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """One distinct user a notification is for."""

    user: UUID
    guest: bool
    profile: Profile | None
    """What the request itself says of them; None: nothing beyond the shop's id."""
    email_index: bytes | None
    phone_index: bytes | None


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A valid request, its id minted, its digests made."""

    id: UUID
    request: Request
    """It says everything: where it did not, its registered type has spoken."""
    channel: str
    template: Template | None
    routes: tuple[SpokenRoute, ...] = ()
    """Of several channels, `channel` and `template` are the first ones; () where there is one alone."""
    resolved_recipients: tuple[ResolvedRecipient, ...]
    key: UUID | None
    fingerprints: tuple[bytes, ...] = (b"",)
    """See `fingerprints`; of no use without a key."""
    legacy_key: LegacyKey | None = None
    kept_out: tuple[Fault, ...] = ()
    """Values of the recipients that a request with `drop_invalid` is accepted without."""
    from_intake: bool = False
    """It comes from the intake: it was accepted while the database was away."""

    @property
    def channels(self) -> tuple[str, ...]:
        """All its channels, in their order."""
        return tuple(route.channel for route in self.routes) or (self.channel,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Checks a request and names everything in it."""

    choose: ChooseRoutes
    addresses: Addresses
    vault: Vault
    ids: Ids
    senders: Collection[str] = ()
    """The names of the senders of e-mail that are configured."""
    open: OpenChannels | None = None
    """None: every channel takes requests."""

    async def __call__(self, request: Request, *, intake_id: UUID | None = None) -> Prepared:
        """Prepare one request.

        Args:
            intake_id: the id that it got when it was put on the intake; None: a new one is made.

        Raises:
            Invalid: with every fault.
            StoreUnavailable: the template is not at hand and cannot be read.
        """
        faults = text_faults(request, from_intake=intake_id is not None)
        chosen = await self.choose(request)
        faults += chosen.faults
        routes = chosen.routes
        faults += parts_faults(request.content, [route.channel for route in routes], self.senders)
        # Requests from the intake, and events, cannot be refused: they wait until the channel is enabled.
        if self.open is not None and intake_id is None and not request.drop_invalid:
            routes, disabled = await self._taking(self.open, chosen)
            faults += disabled
        kept_out: list[Fault] = []
        resolved_recipients = self._resolve_all(request, await self._reach(routes), faults, kept_out)
        if faults:
            raise Invalid(*faults)
        key = identity.digest(self.vault, request)
        return Prepared(
            id=intake_id or self.ids.next(),
            request=with_unbroken_subject(chosen.request),
            channel=routes[0].channel,
            template=routes[0].template,
            routes=routes if len(routes) > 1 else (),
            resolved_recipients=resolved_recipients,
            key=key,
            fingerprints=identity.fingerprints(self.vault, request) if key is not None else (b"",),
            legacy_key=identity.legacy_key(self.vault, request),
            kept_out=tuple(kept_out),
            from_intake=intake_id is not None,
        )

    async def _taking(
        self, channels: OpenChannels, chosen: ChosenRoutes
    ) -> tuple[tuple[SpokenRoute, ...], list[Fault]]:
        """The routes whose channels take requests: of those that are tried in turn, one is enough."""
        if len(chosen.routes) == 1:
            channel = chosen.routes[0].channel
            return chosen.routes, [] if await channels.takes(channel) else [disabled_channel(channel)]
        closed = [route for route in chosen.routes if not await channels.takes(route.channel)]
        if not closed:
            return chosen.routes, []
        left = tuple(route for route in chosen.routes if route not in closed)
        if left and chosen.request.routing is Routing.FIRST:
            return left, []
        names = [route.channel for route in chosen.routes]
        return chosen.routes, [
            disabled_channel(route.channel, f"/channels/{names.index(route.channel)}") for route in closed
        ]

    async def _reach(self, routes: Sequence[SpokenRoute]) -> list[Reach]:
        if self.open is None:
            return [(route.channel, None) for route in routes]
        return [(route.channel, await self.open.addressed_by(route.channel)) for route in routes]

    def _resolve_all(
        self,
        request: Request,
        reach: Sequence[Reach],
        faults: list[Fault],
        kept_out: list[Fault],
    ) -> tuple[ResolvedRecipient, ...]:
        recipients = request.recipients
        if not 1 <= len(recipients) <= RECIPIENTS_MAX:
            detail = f"name 1 to {RECIPIENTS_MAX:,} recipients, not {len(recipients):,}"
            faults.append(Fault("/recipients", "bad_count", detail))
            return ()
        found: dict[UUID, ResolvedRecipient] = {}
        for n, recipient in enumerate(recipients):
            at = f"/recipients/{n}"
            found_bad: list[Fault] = []
            resolved = self._resolve(request, present(recipient), reach, at, found_bad)
            (faults if resolved is None else kept_out).extend(found_bad)
            if resolved is not None:
                found[resolved.user] = resolved
        return tuple(found.values())

    def _resolve(
        self,
        request: Request,
        given: Recipient,
        reach: Sequence[Reach],
        at: str,
        faults: list[Fault],
    ) -> ResolvedRecipient | None:
        """The user that a recipient means; None: the faults say why there is none."""
        if given.user_id is not None and len(given.user_id) > TEXT_MAX:
            faults.append(Fault(f"{at}/userId", "bad_length", f"a user id has 1 to {TEXT_MAX} characters"))
            return None
        values, bad = normalised(
            {name: getattr(given, name) for name in FIELDS if getattr(given, name) is not None},
            self.addresses,
        )
        addresses, wrong = own_addresses(given.addresses) if given.addresses else ({}, [])
        bad += wrong
        faults.extend(Fault(f"{at}{fault.pointer}", fault.code, fault.detail) for fault in bad)
        if bad and not request.drop_invalid:
            return None
        profile = Profile(user_id=given.user_id, **values, addresses=addresses)
        if given.user_id is not None:
            user = customer(self.vault, given.user_id, request.mode)
            if profile == Profile(user_id=given.user_id):
                return ResolvedRecipient(
                    user=user, guest=False, profile=None, email_index=None, phone_index=None
                )
        elif (own := _first_address(profile, reach)) is None:
            if not bad:
                names = " or ".join(channel for channel, _ in reach if channel)
                faults.append(
                    Fault(at, "no_address", f"a guest needs an address for {names or 'the channel'}")
                )
            return None
        else:
            user = guest(self.vault, request.mode, email=profile.email, phone=profile.phone, own=own)
        return ResolvedRecipient(
            user=user,
            guest=given.user_id is None,
            profile=profile,
            email_index=email_index(self.vault, profile.email) if profile.email else None,
            phone_index=phone_index(self.vault, profile.phone) if profile.phone else None,
        )


def _first_address(profile: Profile, reach: Sequence[Reach]) -> tuple[str, str] | None:
    """The first channel on which somebody is reached, and their address there."""
    found = ((channel, profile.address(channel, by)) for channel, by in reach)
    return next(((channel, address) for channel, address in found if address is not None), None)
