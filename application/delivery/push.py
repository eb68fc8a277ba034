"""Push deliveries: planned before the lease is begun, called for each device, and settled as one delivery.

What is promised: a device whose acceptance is stored gets no second call of the delivery.  Results are
stored when the attempt is settled, so of an attempt whose worker died all devices are unknown, and the
class's policy says what follows, as for any call without an answer.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from application.delivery.ports import Leased
from application.device.ports import DeviceResult, LeasedDevice
from application.privacy.ports import DataKey, Unreadable
from application.privacy.sealing import open_device
from application.provider.ports import (
    NO_ADMISSION,
    SANDBOX,
    Gateway,
    Gateways,
    OutboundMessage,
    ProviderChoice,
    Route,
)
from domain.delivery.decide import GiveUp, RetryAt
from domain.delivery.gate import Reached
from domain.delivery.policy import OnUnknown, RetryPolicy
from domain.device.plan import (
    REFUSED,
    USER,
    Target,
    after,
    any_accepted,
    decisive,
    decisive_tag,
    groups,
    new_round,
    outcome_of,
    owed,
)
from domain.kernel.channel import Mode
from domain.kernel.text import storable
from domain.notification.request import Profile
from domain.provider.outcome import Accepted, Outcome, Refused, Unknown

PUSH = "push"
REST = timedelta(seconds=60)
"""Until it is looked again whether a provider of the devices that are left may be called."""


class PushPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All targets of a delivery, and how to reach them."""

    targets: tuple[Target, ...]
    addresses: dict[bytes, str]
    """By target, what a gateway is given; one that cannot be opened has none and is no target."""
    seen: dict[bytes, datetime]
    reach: dict[str, frozenset[str]]
    group: tuple[Target, ...] = ()
    """Whom the present attempt is for."""

    @property
    def reached(self) -> bool:
        """Whether a device has accepted the message."""
        return any_accepted(self.targets)

    @property
    def address(self) -> str | None:
        """For the gate: None while there is no device, and nobody who knows the user's."""
        return PUSH if self.addresses or self.reached else None

    def order(self) -> list[str]:
        """The providers that are to be called, the first one first; a new round begins when none is left."""
        return list(groups(self.targets, self.reach) or groups(new_round(self.targets), self.reach))

    def called(self, provider: str) -> "PushPlan":
        """The plan with the group of a provider of `order`."""
        found = groups(self.targets, self.reach)
        targets = self.targets if found else tuple(new_round(self.targets))
        group = (found or groups(targets, self.reach))[provider]
        return msgspec.structs.replace(self, targets=targets, group=tuple(group))

    def without_provider(self, now: datetime) -> Reached | GiveUp | RetryAt:
        """What follows when `order` is empty."""
        if self.reached:
            return Reached()
        if any(target.outcome == REFUSED for target in self.targets):
            return GiveUp("no device accepted")
        return RetryAt(now + REST, "no provider configured", counts=False)


def plan(leased: Leased, key: DataKey | None, profile: Profile, gateways: Gateways) -> PushPlan | None:
    """The plan of a push delivery; None: it is another channel's, or the request says where it goes."""
    if leased.channel != PUSH or leased.addressed_by is not None or profile.addresses.get(PUSH):
        return None
    providers = (SANDBOX,) if leased.mode is Mode.TEST else leased.providers
    reach = {name: gateways.push_services(name) for name in providers if gateways.named(name) is not None}
    targets: list[Target] = []
    addresses: dict[bytes, str] = {}
    for device in leased.devices:
        address = _address(device, key)
        targets.append(_target(device, gone=address is None))
        if address is not None:
            addresses[device.id] = address
    if profile.user_id and not all(reach.values()):
        if all(target.id != USER for target in targets):
            targets.append(Target(id=USER))
        addresses[USER] = profile.user_id
    seen = {device.id: device.seen for device in leased.devices if device.seen is not None}
    return PushPlan(targets=tuple(targets), addresses=addresses, seen=seen, reach=reach)


async def send_to_each(
    gateway: Gateway,
    message: OutboundMessage,
    push: PushPlan,
    route: Route,
    providers: ProviderChoice,
    policy: RetryPolicy,
) -> "PushEnd":
    """Call for each target of the group at the same time."""
    outcomes = await asyncio.gather(
        *(
            _sent(gateway, msgspec.structs.replace(message, address=push.addresses[target.id]))
            for target in push.group
        )
    )
    meant = _recorded(providers, route, outcomes)
    hold = policy.on_unknown in (OnUnknown.HOLD, OnUnknown.RECONCILE)
    return concluded(push, meant, route.provider, providers, hold=hold)


def _recorded(providers: ProviderChoice, route: Route, outcomes: Sequence[Outcome]) -> list[Outcome]:
    """What the outcomes mean.  A probe is one call, to however many devices: the worst outcome counts."""
    if not route.probe:
        return [providers.record(route, outcome) for outcome in outcomes]
    worst = next((n for n, each in enumerate(outcomes) if not isinstance(each, Accepted | Refused)), 0)
    beside = msgspec.structs.replace(route, epoch=NO_ADMISSION)
    return [providers.record(route if n == worst else beside, outcome) for n, outcome in enumerate(outcomes)]


async def _sent(gateway: Gateway, message: OutboundMessage) -> Outcome:
    try:
        return await gateway.send(message)
    except Exception as bug:  # noqa: BLE001  the gateway's, and nobody knows how far it came
        return Unknown(f"{type(bug).__name__}")


class PushEnd(msgspec.Struct, frozen=True, kw_only=True):
    """What the outcomes of one attempt come to."""

    outcome: Outcome
    """Of the delivery: by it the policy decides, unless another provider is next."""
    tag: str
    """Of the attempt."""
    reference: str | None
    reached: bool
    """A device has accepted, now or before: the delivery cannot fail any more."""
    next_provider: bool
    """Devices are left for a provider that may be called at once."""
    results: tuple[DeviceResult, ...]


def concluded(
    push: PushPlan,
    outcomes: Sequence[Outcome],
    provider: str,
    providers: ProviderChoice,
    *,
    hold: bool,
) -> PushEnd:
    """Join the outcomes of a group with what is known of the other targets.

    Args:
        hold: what may have been sent to one device holds the delivery, whatever is left to do.
    """
    by_id = {target.id: outcome for target, outcome in zip(push.group, outcomes, strict=True)}
    known = [
        after(target, by_id[target.id], provider, push.reach) if target.id in by_id else target
        for target in push.targets
    ]
    results = tuple(
        _result(target, by_id[target.id], provider, push.seen.get(target.id))
        for target in known
        if target.id in by_id
    )
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    unknown = any(isinstance(outcome, Unknown) for outcome in outcomes)
    left = owed(known, push.reach)
    ready = any(not providers.all_paused([name]) for name in groups(known, push.reach))
    is_reached = any_accepted(known)
    if left:
        outcome = decisive([by_id.get(target.id) or outcome_of(target) for target in left])
    elif is_reached:
        outcome = accepted[0] if accepted else Accepted("")
    else:
        refused = next((each.reason for each in outcomes if isinstance(each, Refused)), "none is left")
        outcome = Refused(f"no device accepted: {refused}")
    return PushEnd(
        outcome=outcome,
        tag=decisive_tag(outcomes),
        reference=accepted[0].reference if accepted else None,
        reached=is_reached,
        next_provider=ready and not (hold and unknown),
        results=results,
    )


def _result(target: Target, outcome: Outcome, provider: str, seen: datetime | None) -> DeviceResult:
    return DeviceResult(
        device=target.id,
        platform=target.platform,
        provider=provider,
        outcome=target.outcome or "",
        reference=storable(outcome.reference) if isinstance(outcome, Accepted) else None,
        reason=storable(target.reason),
        failed=",".join(target.failed),
        gone=seen if isinstance(outcome, Refused) and _is_gone(outcome, seen) else None,
    )


def _is_gone(refused: Refused, seen: datetime | None) -> bool:
    """Whether the token is dead, and has not been registered since the service noticed."""
    return refused.gone and (refused.gone_at is None or seen is None or refused.gone_at > seen)


def _address(device: LeasedDevice, key: DataKey | None) -> str | None:
    if key is None or device.sealed is None:
        return None
    try:
        return open_device(key, device.id, device.sealed).address
    except Unreadable:
        return None


def _target(device: LeasedDevice, *, gone: bool) -> Target:
    return Target(
        id=device.id,
        platform=device.platform,
        service=None if gone else device.service,
        outcome=device.outcome,
        reason=device.reason,
        failed=tuple(device.failed.split(",")) if device.failed else (),
    )
