"""From a request to what will be committed: checked against template and addresses, not yet sealed.

Every fault of a request is found, not only the first; pointers are those of the REST body.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.channel.open_channels import OpenChannels
from application.kernel.ports import Ids
from application.notification import identity
from application.notification.ports import LegacyKey
from application.privacy.ports import Vault
from application.template.cached import CachedTemplates
from application.user.identity import customer, email_index, guest, phone_index
from application.user.normalising import normalised
from application.user.ports import Addresses
from domain.channel.content import lacking, part_faults
from domain.kernel.errors import Fault, Invalid
from domain.kernel.json_values import below
from domain.kernel.text import UNSEEN, hides, unbroken
from domain.notification.request import Content, Profile, Recipient, Request, present
from domain.template.template import Template, missing
from domain.user.update import FIELDS

RECIPIENTS_MAX = 1_000
TEXT_MAX = 255
METADATA_MAX = 16 * 1024

_canonical = msgspec.json.Encoder(order="sorted", decimal_format="number").encode


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
    channels: frozenset[str]
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
        faults = _texts(request, from_intake=intake_id is not None)
        template = await self.templates.active(request.template) if request.template else None
        channel = request.channel or (template.channel if template else "")
        faults += self._content(request, template, channel)
        faults += _part_faults(request.content, channel)
        # Requests from the intake, and events, cannot be refused: they wait until the channel is enabled.
        if self.open is not None and intake_id is None and not request.drop_invalid:
            faults += [] if await self.open.takes(channel) else [_disabled(channel)]
        kept_out: list[Fault] = []
        resolved_recipients = self._resolve_all(request, channel, faults, kept_out)
        if faults:
            raise Invalid(*faults)
        key = identity.digest(self.vault, request)
        return Prepared(
            id=intake_id or self.ids.next(),
            request=_unbroken(request),
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
            return _inline_faults(inline, channel, self.channels)
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
            faults.append(_unknown_channel(channel, self.channels))
        return faults

    def _resolve_all(
        self, request: Request, channel: str, faults: list[Fault], kept_out: list[Fault]
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
            resolved = self._resolve(request, present(recipient), channel, at, found_bad)
            (faults if resolved is None else kept_out).extend(found_bad)
            if resolved is not None:
                found[resolved.user] = resolved
        return tuple(found.values())

    def _resolve(
        self, request: Request, given: Recipient, channel: str, at: str, faults: list[Fault]
    ) -> ResolvedRecipient | None:
        """The user that a recipient means; None: the faults say why there is none."""
        if given.user_id is not None and len(given.user_id) > TEXT_MAX:
            faults.append(Fault(f"{at}/userId", "bad_length", f"a user id has 1 to {TEXT_MAX} characters"))
            return None
        values, bad = normalised(
            {name: getattr(given, name) for name in FIELDS if getattr(given, name) is not None},
            self.addresses,
        )
        faults.extend(Fault(f"{at}{fault.pointer}", fault.code, fault.detail) for fault in bad)
        if bad and not request.drop_invalid:
            return None
        profile = Profile(user_id=given.user_id, **values)
        if given.user_id is not None:
            user = customer(self.vault, given.user_id, request.mode)
            if profile == Profile(user_id=given.user_id):
                return ResolvedRecipient(
                    user=user, guest=False, profile=None, email_index=None, phone_index=None
                )
        elif profile.address(channel) is None:
            if not bad:
                detail = f"a guest needs an address for {channel or 'the channel'}"
                faults.append(Fault(at, "no_address", detail))
            return None
        else:
            user = guest(self.vault, request.mode, email=profile.email, phone=profile.phone)
        return ResolvedRecipient(
            user=user,
            guest=given.user_id is None,
            profile=profile,
            email_index=email_index(self.vault, profile.email) if profile.email else None,
            phone_index=phone_index(self.vault, profile.phone) if profile.phone else None,
        )


def _texts(request: Request, *, from_intake: bool) -> list[Fault]:
    """The faults of its texts.  A request from the intake may have characters that are refused today."""
    faults = []
    limits = {
        "notificationType": (request.type, 100),
        "createdBy": (request.created_by, TEXT_MAX),
        "idempotencyKey": (request.idempotency_key, TEXT_MAX),
    }
    for name, (value, most) in limits.items():
        if value is not None and not 1 <= len(value) <= most:
            faults.append(Fault(f"/{name}", "bad_length", f"1 to {most} characters"))
        elif value is not None and not from_intake and hides(value):
            faults.append(Fault(f"/{name}", "bad_character", UNSEEN))
    if not from_intake:
        faults += [
            Fault(f"/recipients/{n}/userId", "bad_character", UNSEEN)
            for n, recipient in enumerate(request.recipients)
            if recipient.user_id and recipient.user_id.strip() and hides(recipient.user_id)
        ]
    if request.metadata and len(_canonical(request.metadata)) > METADATA_MAX:
        faults.append(Fault("/metadata", "too_large", f"metadata has at most {METADATA_MAX:,} bytes of JSON"))
    return faults


def _unbroken(request: Request) -> Request:
    """With its subject on one line, as those of templates are."""
    content = request.content
    if content.subject is None or (subject := unbroken(content.subject)) == content.subject:
        return request
    return msgspec.structs.replace(request, content=msgspec.structs.replace(content, subject=subject))


def _inline_faults(inline: Content, channel: str, channels: frozenset[str]) -> list[Fault]:
    faults = []
    if not channel:
        faults.append(Fault("/channelType", "missing", "name a channel, or a template that has one"))
    elif channel not in channels:
        faults.append(_unknown_channel(channel, channels))
    parts = inline.parts.get(channel)
    if detail := lacking(channel, inline.subject, inline.body, inline.html_body, parts):
        faults.append(Fault("/body", "missing", detail))
    if channel == "email" and not unbroken(inline.subject or "").strip():
        faults.append(Fault("/subject", "missing", "an e-mail needs a subject"))
    return faults


def _part_faults(inline: Content, channel: str) -> Iterator[Fault]:
    for named, parts in inline.parts.items():
        if named == channel:
            yield from part_faults(channel, parts, f"/parts/{named}")
        else:
            detail = f"these parts are for {named}, and the message goes out on {channel or 'no channel'}"
            yield Fault(below("/parts", named), "wrong_channel", detail)


def _disabled(channel: str) -> Fault:
    detail = f"channel '{channel}' is disabled: it takes no requests until it is enabled"
    return Fault("/channelType", "channel_disabled", detail)


def _unknown_channel(channel: str, channels: frozenset[str]) -> Fault:
    return Fault("/channelType", "unknown_channel", f"'{channel}' is none of {', '.join(sorted(channels))}")
