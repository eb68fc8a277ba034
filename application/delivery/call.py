"""Make one call: decrypt the content, render, check lease and clearance once more, call, decide."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from application.delivery.committed import CommittedCall
from application.delivery.complete import CompleteMessage
from application.delivery.keep import UnderWay
from application.delivery.policy import policy_of
from application.delivery.ports import Settlement
from application.delivery.push import PushEnd, send_to_each
from application.delivery.reconcile import ReconcileCalls
from application.delivery.settlement import not_failed, progress, push_settlement, settlement
from application.kernel.caching import Recent
from application.kernel.ports import Clock, Dice
from application.privacy.ports import Unreadable
from application.privacy.sealing import open_content, unwrap_content_key
from application.provider.ports import Gateways, OutboundMessage, ProviderChoice
from application.template.cached import CachedTemplates
from application.template.ports import Renderer
from domain.delivery.decide import (
    Decision,
    Hold,
    decide,
)
from domain.delivery.policy import RetryPolicy
from domain.delivery.reconcile import Reconciled, Repeat, resolution, still_open
from domain.kernel.channel import NotificationClass
from domain.kernel.errors import Invalid, Overloaded, RenderingTimedOut, StoreUnavailable, Unfetched
from domain.notification.recipient import variables
from domain.notification.request import Content
from domain.notification.words import joined, own_words
from domain.provider.outcome import Accepted, Deferred, NotCalled, Outcome, Refused, Unknown
from domain.template.template import Rendered, filled

CONTENTS_MAX, CONTENTS_BYTES = 64, 4 * 1024 * 1024
"""Bytes as they are sealed; open they take up to thirty times that."""

CLEARANCE_MAX = timedelta(seconds=1)
"""No call starts later than this after the facts of its gate were read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CallProvider:
    """The second half of the engine: render, call the provider, decide what follows.

    Args:
        lease: as in `BeginDeliveries`.
        call_max: of the lease, so much must be left when a call begins; what takes longer is kept by
            `KeepLeases`.
        clear_again: a call whose clearance has become too old: since when it is clear (monotonic seconds), or
            None.
    """

    gateways: Gateways
    providers: ProviderChoice
    reconcile: ReconcileCalls
    renderer: Renderer
    complete: CompleteMessage
    templates: CachedTemplates
    policies: Mapping[NotificationClass, RetryPolicy]
    clock: Clock
    dice: Dice
    lease: timedelta
    call_max: timedelta
    clear_again: Callable[[CommittedCall], Awaitable[float | None]]
    under_way: dict[UUID, UnderWay] = field(default_factory=dict)
    _contents: Recent[UUID, Content] = field(
        default_factory=lambda: Recent(most=CONTENTS_MAX, size_max=CONTENTS_BYTES)
    )
    """Of the notifications called last: a campaign's content is opened once, not per recipient."""

    async def __call__(self, call: CommittedCall) -> Settlement:
        """Make the call and say what follows; raises nothing but cancellation."""
        started = self.clock.monotonic()
        self.keep(call)
        try:
            ask, opened = self.reconcile.ask, call.open_calls
            asked = await ask(call.leased.id, opened, self._now(call)) if opened else None
            outcome = await self._outcome(call, asked)
        finally:
            if self._kept(call) is not None:
                del self.under_way[call.leased.id]
        took = timedelta(seconds=self.clock.monotonic() - started)
        if isinstance(outcome, PushEnd):
            policy, chance = policy_of(call.leased, self.policies), self.dice.chance()
            return push_settlement(call.leased, outcome, policy, took, self._now(call), chance)
        return self._settlement(call, outcome, took, asked)

    def keep(self, call: CommittedCall) -> None:
        """Keep its lease from now on, though it may have to wait for its turn; until the call has ended.

        An earlier call of the same delivery may still run, overtaken: only the last one is kept.
        """
        known = self.under_way.get(call.leased.id)
        if known is None or known.attempt < call.leased.attempt:
            self.under_way[call.leased.id] = UnderWay(call.leased.attempt, call.begun)

    def _kept(self, call: CommittedCall) -> UnderWay | None:
        """None: a later call of the same delivery is under way."""
        known = self.under_way.get(call.leased.id)
        return known if known is not None and known.attempt == call.leased.attempt else None

    async def _outcome(self, call: CommittedCall, asked: Reconciled | None) -> Outcome | PushEnd:
        if isinstance(asked, Accepted | NotCalled | Hold):
            self.providers.record(call.route, NotCalled("it was only asked"))
            return NotCalled(asked.reason) if isinstance(asked, Hold) else asked
        again = asked.attempt if isinstance(asked, Repeat) else None
        with ExitStack() as held:
            return await self._called(call, again, held)

    async def _called(self, call: CommittedCall, again: int | None, held: ExitStack) -> Outcome | PushEnd:
        message = await self._message(call, again, held)
        gateway = self.gateways.named(call.provider)
        if gateway is None:
            return NotCalled("provider gone")
        if not isinstance(message, OutboundMessage):
            self.providers.record(call.route, NotCalled("the message was not ready"))
            return message if again is None or isinstance(message, Accepted) else NotCalled(message.reason)
        if call.push is not None:
            policy = policy_of(call.leased, self.policies)
            return await send_to_each(gateway, message, call.push, call.route, self.providers, policy)
        try:
            outcome = await gateway.send(message)
        except Exception as bug:  # noqa: BLE001  the gateway's, and nobody knows how far it came
            outcome = Unknown(f"{call.provider}: {type(bug).__name__}")
        return self.providers.record(call.route, outcome)

    async def _message(
        self, call: CommittedCall, again: int | None, held: ExitStack
    ) -> OutboundMessage | Outcome:
        """What is sent, or why it is not.

        Args:
            again: the attempt that is repeated; None: it is a new one.
            held: closed once it is sent.
        """
        started = self.clock.monotonic()
        try:
            words = await self.complete(call.leased.channel, await self._render(call), held)
        except StoreUnavailable:
            return NotCalled("template not at hand")
        except Unfetched as fault:
            return NotCalled(str(fault))
        except (Invalid, Unreadable) as fault:
            return Refused(f"cannot be rendered: {fault}")
        except RenderingTimedOut as late:
            return Deferred(f"cannot be rendered: {late}", may_recover=False)
        except Overloaded as busy:
            return NotCalled(f"not rendered: {busy}")
        except Exception as bug:  # noqa: BLE001  ours, and not its neighbours'
            return Deferred(f"cannot be rendered: {type(bug).__name__}", may_recover=False)
        unready = self._late(call, started)
        if unready is None and self._age(call.begun) > CLEARANCE_MAX:
            unready = await self._not_cleared(call) or self._late(call, started)
        if unready is not None:
            return unready
        leased = call.leased
        return OutboundMessage(
            delivery=leased.id,
            attempt=again or leased.attempt,
            channel=leased.channel,
            type=leased.type,
            address=call.address,
            name=call.profile.name,
            subject=words.subject,
            body=words.body,
            html_body=words.html_body,
            parts=words.parts,
            alone=self.reconcile.reconciles(leased.klass),
        )

    def _now(self, call: CommittedCall) -> datetime:
        """As the database's clock shows it."""
        return call.facts_at + timedelta(seconds=self.clock.monotonic() - call.heard)

    def _age(self, since: float) -> timedelta:
        return timedelta(seconds=self.clock.monotonic() - since)

    def _late(self, call: CommittedCall, started: float) -> Outcome | None:
        """Its lease might end before the call does.

        Args:
            started: when preparing it began; the wait for its turn before that is not its fault.
        """
        kept = self._kept(call)
        if kept is None:
            return NotCalled("its lease was overtaken")
        if self._age(kept.leased_at) <= self.lease - self.call_max:
            return None
        if self._age(started) > self.lease - self.call_max:
            return Deferred("takes longer to prepare than its lease", may_recover=False)
        return NotCalled("lease too old")

    async def _not_cleared(self, call: CommittedCall) -> Outcome | None:
        """Clear it again, or say why that is not possible."""
        try:
            since = await self.clear_again(call)
        except StoreUnavailable:
            return NotCalled("cannot be cleared again")
        if since is None:
            return NotCalled("not clear any more")
        return NotCalled("clearance too old") if self._age(since) > CLEARANCE_MAX else None

    async def _render(self, call: CommittedCall) -> Rendered:
        leased = call.leased
        content = self._content(call)
        if leased.template_id is None or leased.template_version is None:
            return own_words(content, leased.channel)
        template = await self.templates.version(leased.template_id, leased.template_version)
        if template is None:
            raise Unreadable(f"template {leased.template_id} version {leased.template_version} is gone")
        data = {**filled(template, content.data), **variables(call.profile)}
        return joined(await self.renderer.render(template, data), content, leased.channel)

    def _content(self, call: CommittedCall) -> Content:
        leased = call.leased
        content = self._contents.get(leased.notification)
        if content is None:
            key = unwrap_content_key(call.key, leased.content_key, leased.id)
            content = open_content(key, leased.notification, leased.content)
            self._contents.keep(leased.notification, content, len(leased.content))
        return content

    def _settlement(
        self, call: CommittedCall, outcome: Outcome, took: timedelta, asked: Reconciled | None
    ) -> Settlement:
        leased = call.leased
        reconciles = self.reconcile.reconciles(leased.klass)
        is_open = reconciles and still_open(asked, outcome)
        decision: Decision = (
            asked
            if isinstance(asked, Hold)
            else decide(
                progress(leased),
                outcome,
                policy_of(leased, self.policies),
                now=self._now(call),
                chance=self.dice.chance(),
                others=bool(call.others) and not self.providers.all_paused(call.others),
                answerable=self.reconcile.answerable(leased.klass, call.provider),
                is_open=is_open,
            )
        )
        decision = not_failed(decision, call.push)
        return settlement(leased, decision, outcome, took, about=resolution(asked, outcome), is_open=is_open)
