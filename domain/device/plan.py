"""Which devices of a user a push delivery still owes its message, and which provider is called for them next.

A delivery is for one user, an attempt is one provider, and its call is for all devices that this provider
reaches.  Who has accepted or refused is never asked again; who was deferred is asked again when every
provider that reaches the device has failed with it: that is a round.
"""

from collections.abc import Mapping, Sequence

import msgspec

from domain.provider.outcome import Accepted, AccountFault, Deferred, NotCalled, Outcome, Refused, Unknown

ACCEPTED, REFUSED = "accepted", "refused"
_FINAL = frozenset({ACCEPTED, REFUSED})
USER = b""
"""Id of the user as a whole: for providers that know the users' devices themselves."""

Reach = Mapping[str, frozenset[str]]
"""Providers in order of preference, and the push services whose devices each of them reaches; none: it is
given the user's own id."""


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A device, or the user, and what is known of it in this delivery."""

    id: bytes
    platform: str = ""
    service: str | None = None
    """None: there is no such device any more, or it is the user."""
    outcome: str | None = None
    """Tag of its last outcome; None: none, or one of before a replay."""
    reason: str | None = None
    failed: tuple[str, ...] = ()
    """Providers that have failed with it in the present round."""


def any_accepted(targets: Sequence[Target]) -> bool:
    """Whether the user is reached on one device at least."""
    return any(target.outcome == ACCEPTED for target in targets)


def owed(targets: Sequence[Target], reach: Reach) -> list[Target]:
    """The targets that a provider could still bring the message to, now or later."""
    return [target for target in targets if _wanted(target, targets) and _carriers(target, reach)]


def groups(targets: Sequence[Target], reach: Reach) -> dict[str, list[Target]]:
    """By provider, in order of preference: the targets that it has not been called for in this round."""
    found: dict[str, list[Target]] = {}
    for target in owed(targets, reach):
        for provider in _carriers(target, reach):
            if provider not in target.failed:
                found.setdefault(provider, []).append(target)
    return {provider: found[provider] for provider in reach if provider in found}


def new_round(targets: Sequence[Target]) -> list[Target]:
    """The same, as if no provider had failed with any."""
    return [msgspec.structs.replace(target, failed=()) for target in targets]


def after(target: Target, outcome: Outcome, provider: str, reach: Reach) -> Target:
    """What is known of a target after a call.  What may have been sent goes to no other provider."""
    known = msgspec.structs.replace(
        target, outcome=str(outcome.__struct_config__.tag), reason=getattr(outcome, "reason", None)
    )
    match outcome:
        case Deferred() | AccountFault():
            return msgspec.structs.replace(known, failed=(*target.failed, provider))
        case Unknown():
            return msgspec.structs.replace(known, failed=tuple(reach))
        case _:
            return known


def outcome_of(target: Target) -> Outcome:
    """The outcome that a target has from an earlier attempt, as far as it is kept."""
    reason = target.reason or "not sent yet"
    match target.outcome:
        case "unknown":
            return Unknown(reason)
        case "account_fault":
            return AccountFault(reason)
        case _:
            return Deferred(reason)


def decisive(outcomes: Sequence[Outcome]) -> Outcome:
    """The one of several that says most about when to try again.

    An unknown one first, then one that counts as an attempt, then the longest wait that was asked for.
    """
    return max(outcomes, key=_weight)


def _weight(outcome: Outcome) -> tuple[int, float]:
    match outcome:
        case Unknown():
            return 5, 0.0
        case Deferred(retry_after=None):
            return 4, 0.0
        case Deferred(retry_after=wait):
            return 3, wait.total_seconds() if wait else 0.0
        case AccountFault():
            return 2, 0.0
        case NotCalled():
            return 1, 0.0
        case Accepted() | Refused():
            return 0, 0.0


def _wanted(target: Target, targets: Sequence[Target]) -> bool:
    """The user as a whole is reached by any device, and all devices by the user."""
    if target.outcome in _FINAL:
        return False
    if target.id == USER:
        return not any_accepted(targets)
    return not any(other.id == USER and other.outcome == ACCEPTED for other in targets)


def _carriers(target: Target, reach: Reach) -> list[str]:
    if target.id == USER:
        return [provider for provider, services in reach.items() if not services]
    return [provider for provider, services in reach.items() if target.service in services]


def decisive_tag(outcomes: Sequence[Outcome]) -> str:
    """The tag of an attempt for several devices: unknown if one is, else accepted if one is."""
    if not any(isinstance(each, Unknown) for each in outcomes):
        accepted = next((each for each in outcomes if isinstance(each, Accepted)), None)
        if accepted is not None:
            return str(accepted.__struct_config__.tag)
    return str(decisive(outcomes).__struct_config__.tag)
