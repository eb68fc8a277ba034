"""Preview a request: who would get which text.  Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from application.channel.ports import Channel, Channels
from application.kernel.ports import Clock
from application.kernel.versioned import Versioned
from application.notification.prepare import Prepare, Prepared, ResolvedRecipient
from application.privacy.opening import opened
from application.privacy.ports import Vault
from application.template.ports import Renderer
from application.user.ports import User, Users
from domain.channel.limits import as_sent
from domain.delivery.decide import GiveUp, Hold, RetryAt
from domain.delivery.gate import Cancelled, Cleared, Facts, Paused, Reached, Suppressed, check
from domain.delivery.policy import RetryPolicy
from domain.kernel.channel import NotificationClass
from domain.kernel.errors import Invalid, PosthornError, RenderingTimedOut
from domain.kernel.json_values import Json
from domain.notification.recipient import variables
from domain.notification.request import Profile, Request
from domain.notification.words import joined, own_words
from domain.template.template import Rendered, filled

SHOWN_MAX = 10


class SmsFacts(msgspec.Struct, frozen=True, kw_only=True):
    """How a text message is sent and paid for."""

    text: str
    """As it is sent: typographic characters may be replaced."""
    encoding: str
    segments: int
    foreign: str | None
    """The first character that makes it UCS-2; None: it is GSM-7."""


class PreviewedRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """One recipient's message."""

    user_id: str | None
    reachable: bool
    """Whether an address is known for the channel."""
    decision: str
    """What the gate would say now: send, wait, suppress or fail."""
    reason: str | None
    subject: str | None
    body: str | None
    html_body: str | None
    parts: dict[str, Json] = {}
    sms: SmsFacts | None = None
    """How a text message is sent and paid for; None: it is none."""
    problem: str | None = None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """What would happen."""

    channel: str
    priority: str
    template_id: str | None
    template_version: int | None
    recipients: int
    """How many distinct users; the first ten are rendered."""
    rendered: list[PreviewedRecipient]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewNotification:
    """Prepares and renders a request without accepting it."""

    prepare: Prepare
    users: Users
    channels: Channels
    vault: Vault
    renderer: Renderer
    policies: Mapping[NotificationClass, RetryPolicy]
    clock: Clock

    async def __call__(self, request: Request) -> Preview:
        """Render for the first recipients.

        Raises:
            Invalid: as on submitting.
            Overloaded: too much waits to be rendered.
        """
        prepared = await self.prepare(request)
        shown = prepared.resolved_recipients[:SHOWN_MAX]
        rows = await self.users.get([a.user for a in shown])
        channel = await self.channels.get(prepared.channel)
        profiles = [self._profile(resolved, rows.get(resolved.user)) for resolved in shown]
        rendered = []
        by = None if channel is None else channel.value.addressed_by
        for profile, made in zip(profiles, await self._words(prepared, profiles), strict=True):
            decision, reason = self._decision(request, profile.address(prepared.channel, by), channel)
            words, problem = (Rendered(), str(made)) if isinstance(made, PosthornError) else (made, None)
            rendered.append(
                PreviewedRecipient(
                    user_id=profile.user_id,
                    reachable=profile.address(prepared.channel, by) is not None,
                    decision=decision,
                    reason=reason,
                    subject=words.subject,
                    body=words.body,
                    html_body=words.html_body,
                    parts=words.parts,
                    sms=_sms(words) if prepared.channel == "sms" and words.body else None,
                    problem=problem,
                )
            )
        return Preview(
            channel=prepared.channel,
            priority=request.priority.label,
            template_id=request.template,
            template_version=prepared.template.version if prepared.template else None,
            recipients=len(prepared.resolved_recipients),
            rendered=rendered,
        )

    async def _words(
        self, prepared: Prepared, profiles: Sequence[Profile]
    ) -> Sequence[Rendered | PosthornError]:
        """What each would get, or what is wrong with it."""
        content, template = prepared.request.content, prepared.template
        if template is None:
            return [own_words(content, prepared.channel)] * len(profiles)
        data = filled(template, content.data)
        try:
            made = await self.renderer.render_each(template, data, [variables(each) for each in profiles])
        except RenderingTimedOut as late:
            return [late] * len(profiles)
        return [each if isinstance(each, Invalid) else _joined(each, prepared) for each in made]

    def _decision(
        self, request: Request, address: str | None, channel: Versioned[Channel] | None
    ) -> tuple[str, str | None]:
        now = self.clock.now()
        facts = Facts(
            accepted_at=now,
            attempts_counted=0,
            interrupted=False,
            cancelled=False,
            suppressed=None,  # addresses under suppression are looked up when sending, not here
            channel_enabled=channel is None or channel.value.enabled,
            channel_paused=channel is not None and channel.value.paused,
            erased=False,
            address=address,
        )
        match check(facts, self.policies[request.klass], now=now, chance=0.0):
            case Cleared() | Reached():
                return "send", None
            case Paused(reason) | RetryAt(_, reason):
                return "wait", reason
            case Suppressed(reason):
                return "suppress", reason
            case GiveUp(reason) | Hold(reason):
                return "fail", reason
            case Cancelled():
                return "suppress", "cancelled"

    def _profile(self, resolved: ResolvedRecipient, row: User | None) -> Profile:
        if resolved.profile is not None:
            return resolved.profile
        return Profile() if row is None else opened(self.vault, row.id, row.data_key, row.profile)


def _joined(words: Rendered, prepared: Prepared) -> Rendered | Invalid:
    try:
        return joined(words, prepared.request.content, prepared.channel)
    except Invalid as refused:
        return refused


def _sms(words: Rendered) -> SmsFacts:
    sent = as_sent(words.body or "", words.parts)
    return SmsFacts(
        text="".join(sent.parts),
        encoding=sent.encoding,
        segments=len(sent.parts),
        foreign=sent.foreign.character if sent.foreign else None,
    )
