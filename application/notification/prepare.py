"""From a request to what will be committed: checked against template and addresses, not yet sealed.

Every fault of a request is found, not only the first; pointers are those of the REST body.
"""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.channel.open_channels import OpenChannels
from application.kernel.ports import Ids
from application.notification import identity
from application.notification.ports import LegacyKey
from application.notification.request_faults import (
    TEXT_MAX,
    disabled_channel,
    inline_faults,
    parts_faults,
    text_faults,
    unknown_channel,
    with_unbroken_subject,
)
from application.privacy.ports import Vault
from application.template.cached import CachedTemplates
from application.user.identity import customer, email_index, guest, phone_index
from application.user.normalising import normalised, own_addresses
from application.user.ports import Addresses
from domain.kernel.channel import AddressedBy
from domain.kernel.errors import Fault, Invalid
from domain.notification.request import Profile, Recipient, Request, present
from domain.template.template import Template, missing
from domain.user.update import FIELDS

RECIPIENTS_MAX = 1_000


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
    channel: str
    template: Template | None
    resolved_recipients: tuple[ResolvedRecipient, ...]
    key: UUID | None
    fingerprints: tuple[bytes, ...] = (b"",)
    """See `fingerprints`; of no use without a key."""
    legacy_key: LegacyKey | None = None
    kept_out: tuple[Fault, ...] = ()
    """Values of the recipients that a request with `drop_invalid` is accepted without."""
    from_intake: bool = False
    """It comes from the intake: it was accepted while the database was away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Checks a request and names everything in it."""

    templates: CachedTemplates
    addresses: Addresses
    vault: Vault
    ids: Ids
    channels: Collection[str]
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
        template = await self.templates.active(request.template) if request.template else None
        channel = request.channel or (template.channel if template else "")
        faults += self._content(request, template, channel)
        faults += parts_faults(request.content, channel, self.senders)
        # Requests from the intake, and events, cannot be refused: they wait until the channel is enabled.
        if self.open is not None and intake_id is None and not request.drop_invalid:
            faults += [] if await self.open.takes(channel) else [disabled_channel(channel)]
        kept_out: list[Fault] = []
        by = await self.open.addressed_by(channel) if self.open is not None else None
        resolved_recipients = self._resolve_all(request, channel, by, faults, kept_out)
        if faults:
            raise Invalid(*faults)
        key = identity.digest(self.vault, request)
        return Prepared(
            id=intake_id or self.ids.next(),
            request=with_unbroken_subject(request),
            channel=channel,
            template=template,
            resolved_recipients=resolved_recipients,
            key=key,
            fingerprints=identity.fingerprints(self.vault, request) if key is not None else (b"",),
            legacy_key=identity.legacy_key(self.vault, request),
            kept_out=tuple(kept_out),
            from_intake=intake_id is not None,
        )

    def _content(self, request: Request, template: Template | None, channel: str) -> list[Fault]:
        inline = request.content
        if request.template is None:
            return inline_faults(inline, channel, self.channels)
        if template is None:
            return [Fault("/templateId", "unknown_template", f"no active template '{request.template}'")]
        faults = missing(template, inline.data)
        if any((inline.subject, inline.body, inline.html_body)):
            faults.append(
                Fault("/templateId", "ambiguous", "give a template or subject/body/htmlBody, not both")
            )
        if channel != template.channel:
            detail = f"template '{template.id}' is for {template.channel}, not {channel}"
            faults.append(Fault("/channelType", "wrong_channel", detail))
        elif channel not in self.channels:
            faults.append(unknown_channel(channel, self.channels))
        return faults

    def _resolve_all(
        self,
        request: Request,
        channel: str,
        by: AddressedBy | None,
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
            resolved = self._resolve(request, present(recipient), channel, by, at, found_bad)
            (faults if resolved is None else kept_out).extend(found_bad)
            if resolved is not None:
                found[resolved.user] = resolved
        return tuple(found.values())

    def _resolve(
        self,
        request: Request,
        given: Recipient,
        channel: str,
        by: AddressedBy | None,
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
        elif (address := profile.address(channel, by)) is None:
            if not bad:
                detail = f"a guest needs an address for {channel or 'the channel'}"
                faults.append(Fault(at, "no_address", detail))
            return None
        else:
            own = (channel, address)
            user = guest(self.vault, request.mode, email=profile.email, phone=profile.phone, own=own)
        return ResolvedRecipient(
            user=user,
            guest=given.user_id is None,
            profile=profile,
            email_index=email_index(self.vault, profile.email) if profile.email else None,
            phone_index=phone_index(self.vault, profile.phone) if profile.phone else None,
        )
