"""Preview a request: who would get which text.  Nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.channel.ports import Channel, Channels
from application.kernel.ports import Clock
from application.kernel.versioned import Versioned
from application.notification.choose_routes import SpokenRoute
from application.notification.prepare import Prepare, ResolvedRecipient
from application.notification.preview_reach import PUSH, PreviewReach
from application.notification.seal import kept_routes
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
from domain.notification.request import Content, Profile, Request
from domain.notification.routing import ChannelRoute, Routing
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
    channel: str
    reachable: bool
    """Whether an address is known for the channel."""
    decision: str
    """What the gate would say now: send, wait, suppress or fail; or standby, behind an earlier channel."""
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
    routing: str | None = None
    """What its several channels mean; None: it has one."""
    routes: tuple[ChannelRoute, ...] = ()
    recipients: int
    """How many distinct users; the first ten are rendered, on each channel."""
    rendered: list[PreviewedRecipient]


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewNotification:
    """Prepares and renders a request without accepting it."""

    prepare: Prepare
    users: Users
    channels: Channels
    reach: PreviewReach
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
        request = prepared.request
        shown = prepared.resolved_recipients[:SHOWN_MAX]
        rows = await self.users.get([a.user for a in shown])
        who = [(each.user, self._profile(each, rows.get(each.user))) for each in shown]
        routes = prepared.routes or (SpokenRoute(channel=prepared.channel, template=prepared.template),)
        first = len(routes) > 1 and request.routing is Routing.FIRST
        by_channel = []
        for n, route in enumerate(routes, start=1):
            policy = self.policies[request.policy_class]
            if first:
                policy = policy.in_turn(n, len(routes))
            by_channel.append(await self._on(route, request, who, policy))
        rendered = [
            made for each in zip(*by_channel, strict=True) for made in (_in_turn(each) if first else each)
        ]
        return Preview(
            channel=prepared.channel,
            priority=request.urgency.label,
            template_id=prepared.template.id if prepared.template else None,
            template_version=prepared.template.version if prepared.template else None,
            routing=request.routing if prepared.routes else None,
            routes=kept_routes(prepared),
            recipients=len(prepared.resolved_recipients),
            rendered=rendered,
        )

    async def _on(
        self, route: SpokenRoute, request: Request, who: Sequence[tuple[UUID, Profile]], policy: RetryPolicy
    ) -> list[PreviewedRecipient]:
        """What each would get on one channel."""
        channel = await self.channels.get(route.channel)
        configured = None if channel is None else channel.value
        addresses = await self.reach(route.channel, configured, request.mode, who)
        profiles, rendered = [profile for _, profile in who], []
        words_of_each = await self._words(route, request, profiles)
        for profile, address, made in zip(profiles, addresses, words_of_each, strict=True):
            decision, reason = self._decision(policy, route.channel, address, channel)
            words, problem = (Rendered(), str(made)) if isinstance(made, PosthornError) else (made, None)
            rendered.append(
                PreviewedRecipient(
                    user_id=profile.user_id,
                    channel=route.channel,
                    reachable=address is not None,
                    decision=decision,
                    reason=reason,
                    subject=words.subject,
                    body=words.body,
                    html_body=words.html_body,
                    parts=words.parts,
                    sms=_sms(words) if route.channel == "sms" and words.body else None,
                    problem=problem,
                )
            )
        return rendered

    async def _words(
        self, route: SpokenRoute, request: Request, profiles: Sequence[Profile]
    ) -> Sequence[Rendered | PosthornError]:
        """What each would get, or what is wrong with it."""
        content, template = request.content, route.template
        if template is None:
            return [own_words(content, route.channel)] * len(profiles)
        data = filled(template, content.data)
        try:
            made = await self.renderer.render_each(template, data, [variables(each) for each in profiles])
        except RenderingTimedOut as late:
            return [late] * len(profiles)
        return [each if isinstance(each, Invalid) else _joined(each, content, route.channel) for each in made]

    def _decision(
        self, policy: RetryPolicy, name: str, address: str | None, channel: Versioned[Channel] | None
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
            wants="device" if name == PUSH else "address",
        )
        match check(facts, policy, now=now, chance=0.0):
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


def _in_turn(channels: Sequence[PreviewedRecipient]) -> list[PreviewedRecipient]:
    """One recipient on channels that are tried in turn: behind the first that does not fail, all stand by."""
    shown: list[PreviewedRecipient] = []
    chosen: str | None = None
    for each in channels:
        if chosen is not None:
            each = msgspec.structs.replace(each, decision="standby", reason=f"behind {chosen}")
        elif each.decision != "fail" and each.problem is None:
            chosen = each.channel
        shown.append(each)
    return shown


def _joined(words: Rendered, content: Content, channel: str) -> Rendered | Invalid:
    try:
        return joined(words, content, channel)
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
