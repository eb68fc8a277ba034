"""Begin deliveries: lease, decide, commit the attempts.  The calls come after, outside any transaction.

The lease's number fences begin and settle, so a worker presumed dead cannot overwrite its successor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from application.delivery.commit import commit_attempts
from application.delivery.committed import ChosenRoute, CommittedCall
from application.delivery.opened import Opened, open_leased
from application.delivery.policy import policy_of
from application.delivery.ports import (
    STRIKES_FREE,
    Begin,
    Deliveries,
    Leased,
    Leases,
    NotDueYet,
    Settlement,
    StruckDelivery,
)
from application.delivery.push import PUSH, REST, PushPlan, plan
from application.delivery.reconcile import Calls, ReconcileCalls
from application.delivery.without_call import unreadable, without_call
from application.kernel.ports import Clock, Dice
from application.outbox.pointers import Pointer
from application.outbox.ports import Handoff
from application.privacy.ports import Unreadable, Vault
from application.provider.ports import SANDBOX, Gateways, ProviderChoice
from domain.delivery.decide import DeliveryProgress, GiveUp, Hold, RetryAt
from domain.delivery.gate import (
    Cancelled,
    Cleared,
    Facts,
    GateDecision,
    Paused,
    Reached,
    check,
    unanswered,
)
from domain.delivery.policy import RetryPolicy
from domain.kernel.channel import Lane, Mode, NotificationClass
from domain.kernel.errors import KeyUnavailable

UNCONFIGURED_WAIT = timedelta(seconds=60)
KEY_WAIT = timedelta(seconds=10)


class Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The result of beginning a batch of pointers."""

    calls: list[CommittedCall]
    settlements: list[Settlement]
    """Decided without a call; to be settled."""
    postponed: int = 0
    struck: list[StruckDelivery] = []
    replayed: int = 0
    """Dead letters that an operator has moved back to the lane."""
    stale: int = 0
    pause_reason: str | None = None
    """Why the lane has to pause: its channel is paused, all its providers are, or a key is missing.  None: it
    goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BeginDeliveries:
    """The first half of the engine: lease, decide, commit the attempts."""

    deliveries: Deliveries
    vault: Vault
    gateways: Gateways
    providers: ProviderChoice
    reconcile: ReconcileCalls
    handoff: Handoff
    policies: Mapping[NotificationClass, RetryPolicy]
    clock: Clock
    dice: Dice
    lease: timedelta

    async def __call__(
        self, lane: Lane, pointers: Sequence[Pointer], strikes_max: int = STRIKES_FREE
    ) -> Begun:
        """Lease what these pointers lead to, and return the calls to make and what is settled without one.

        Args:
            strikes_max: deliveries with more strikes are not leased.

        Raises:
            StoreUnavailable: the lane pauses; leases made lapse by themselves.
        """
        begun = self.clock.monotonic()
        leases = await self.deliveries.lease(pointers, lease=self.lease, strikes_max=strikes_max)
        if leases.later:
            self.handoff.offer(await self.deliveries.postpone(lane, leases.later))
        self.handoff.offer(leases.messages)
        open_calls = await self.reconcile.find(leases.taken)
        calls, settlements, pause_reason = self._decide(leases, begun, open_calls)
        attempts = [
            Begin(
                delivery=c.leased.id, attempt=c.leased.attempt, provider=c.provider, asks=bool(c.open_calls)
            )
            for c in calls
        ]
        ours, broken = await commit_attempts(self.deliveries, attempts, leases.facts_at)
        # Overtaken, or the lease ended unused: then nobody else would ever look at this delivery again.
        not_begun = [call.leased for call in calls if call.leased.id not in ours]
        settlements += [
            without_call(each, GiveUp(broken[each.id])) for each in not_begun if each.id in broken
        ]
        settlements += [unreadable(each) for each in leases.unreadable]
        lost = [leased for leased in not_begun if leased.id not in broken]
        if lost:
            again = [NotDueYet(Pointer(leased.id, leased.seq), timedelta()) for leased in lost]
            self.handoff.offer(await self.deliveries.postpone(lane, again))
        elsewhere = len(leases.later) + len(leases.struck) + leases.replayed
        return Begun(
            calls=[call for call in calls if call.leased.id in ours],
            settlements=settlements,
            postponed=len(leases.later) + len(lost),
            replayed=leases.replayed,
            struck=leases.struck,
            stale=len(pointers) - len(leases.taken) - len(leases.unreadable) - elsewhere,
            pause_reason=pause_reason,
        )

    def _decide(
        self, leases: Leases, begun: float, open_calls: Mapping[UUID, Calls]
    ) -> tuple[list[CommittedCall], list[Settlement], str | None]:
        calls: list[CommittedCall] = []
        settlements: list[Settlement] = []
        pause_reason: str | None = None
        now, heard = leases.facts_at, self.clock.monotonic()
        for leased in leases.taken:
            try:
                decided = self._one(leased, now, begun, heard, open_calls.get(leased.id, ()))
            except KeyUnavailable as away:
                pause_reason = str(away)
                decided = RetryAt(now + KEY_WAIT, pause_reason, counts=False)
            except Exception as bug:  # noqa: BLE001  what cannot be decided must not hold its neighbours up
                decided = GiveUp(f"cannot be decided: {type(bug).__name__}")
            if isinstance(decided, CommittedCall):
                calls.append(decided)
                continue
            if isinstance(decided, Paused):
                pause_reason = decided.reason
            settlements.append(without_call(leased, decided, is_open=leased.id in open_calls))
        return calls, settlements, pause_reason

    def _one(
        self, leased: Leased, now: datetime, begun: float, heard: float, open_calls: Calls
    ) -> CommittedCall | GateDecision:
        if leased.channel == PUSH:  # nobody can be asked for one device
            open_calls = ()
        answerable = bool(open_calls) and self.reconcile.answerable(leased.klass, open_calls[-1].provider)
        try:
            opened = open_leased(leased, self.vault)
        except (KeyUnavailable, Unreadable) as fault:  # not an erased user: those have no key at all
            if leased.interrupted and (follow := self._unanswered(leased, now, answerable)):
                return follow
            if isinstance(fault, KeyUnavailable):
                raise
            return Cancelled() if leased.cancelled else GiveUp(f"the user's data cannot be opened: {fault}")
        push = plan(leased, opened.key, opened.profile, self.gateways)
        decision = self._check(leased, opened, push, now, answerable)
        if push and push.reached and isinstance(decision, GiveUp):
            return Reached()
        if not isinstance(decision, Cleared) or opened.key is None:
            return decision
        route = self._route(leased, push, open_calls, answerable, now)
        if not isinstance(route, ChosenRoute):
            return route
        return CommittedCall(
            leased=leased,
            key=opened.key,
            profile=opened.profile,
            address=decision.address,
            route=route.route,
            open_calls=open_calls,
            others=route.others,
            push=push.called(route.route.provider) if push else None,
            begun=begun,
            facts_at=now,
            heard=heard,
        )

    def _route(
        self, leased: Leased, push: PushPlan | None, open_calls: Calls, answerable: bool, now: datetime
    ) -> ChosenRoute | GateDecision:
        able = push.order() if push else self._able(leased)
        if push and not able:
            return push.without_provider(now)
        if open_calls:
            able = [name for name in able if answerable and name == open_calls[-1].provider]
            if not able:
                return Hold("it cannot be known what became of an earlier call")
        tried = 0 if push else min(leased.failovers, max(0, len(able) - 1))
        able = able[tried:] + able[:tried]
        if not able:
            return RetryAt(now + UNCONFIGURED_WAIT, "no provider configured", counts=False)
        route = self.providers.choose(able)
        if route is None:
            if push and not self.providers.all_paused(self._able(leased)):
                return RetryAt(now + REST, f"at rest: {', '.join(able)}", counts=False)
            return Paused(f"at rest: {', '.join(able)}")
        others = able[: len(able) - tried]
        return ChosenRoute(route, tuple(name for name in others if name != route.provider))

    def _check(
        self, leased: Leased, opened: Opened, push: PushPlan | None, now: datetime, answerable: bool
    ) -> GateDecision:
        facts = Facts(
            accepted_at=leased.accepted_at,
            attempts_counted=leased.attempts_counted,
            interrupted=leased.interrupted,
            answerable=answerable,
            strikes=leased.strikes,
            cancelled=leased.cancelled,
            suppressed=leased.suppressed,
            channel_enabled=leased.channel_enabled,
            channel_paused=leased.channel_paused,
            erased=opened.key is None,
            address=push.address if push else opened.profile.address(leased.channel, leased.addressed_by),
            wants="device" if push else "address",
        )
        return check(facts, policy_of(leased, self.policies), now=now, chance=self.dice.chance())

    def _unanswered(self, leased: Leased, now: datetime, answerable: bool) -> GateDecision | None:
        progress = DeliveryProgress(leased.accepted_at, leased.attempts_counted)
        policy, chance = policy_of(leased, self.policies), self.dice.chance()
        return unanswered(progress, policy, now=now, chance=chance, answerable=answerable)

    def _able(self, leased: Leased) -> list[str]:
        """The configured providers of the delivery, in order of preference."""
        if leased.mode is Mode.TEST:
            return [SANDBOX]
        return [name for name in leased.providers if self.gateways.named(name) is not None]
