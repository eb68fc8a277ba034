"""What push services have in common.

The title is the message's subject.  Apps get, beside the shop's own data, our ids and `link`, all as text.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import msgspec

from adapters.providers.kit.requests import correlation
from application.provider.ports import OutboundMessage
from domain.channel.parts import PushParts
from domain.kernel.json_values import Json
from domain.provider.outcome import Outcome, Refused

DEAD_TOKENS: Mapping[tuple[str, int, str | None], bool] = {
    ("fcm", 404, "UNREGISTERED"): False,
    ("fcm", 403, "SENDER_ID_MISMATCH"): True,
    ("apns", 410, "Unregistered"): False,
    ("apns", 410, "ExpiredToken"): False,
    ("apns", 400, "DeviceTokenNotForTopic"): True,
    ("web_push", 404, None): False,
    ("web_push", 410, None): False,
}
"""Service, status and code that say that a token will never work again: its device is removed.

True: a wrong project or topic of ours is answered alike, so this counts only once the account has sent a
message to another device since the process began.  APNs' BadDeviceToken is not among them: it may be of the
other environment.
"""


def push_parts(message: OutboundMessage) -> PushParts | Refused:
    """What the message has beside its text, or why it is not sent."""
    try:
        return msgspec.convert(message.parts, PushParts)
    except msgspec.ValidationError:
        return Refused("its parts are not those of a push notification", examined=False)


def app_data(message: OutboundMessage, parts: PushParts) -> dict[str, str]:
    """What the app gets; the shop's own names go first, ours cannot be replaced."""
    link = {} if parts.link is None else {"link": parts.link}
    return {**link, **parts.data, **correlation(message)}


def too_large(size: int, limit: int) -> Refused | None:
    """The refusal of a message of more bytes than the push service takes; None: it is not larger."""
    return Refused(f"{size} bytes: {limit} are taken", examined=False) if size > limit else None


def without_empty(tree: Json) -> Json:
    """The same document without members that are None or empty."""
    if not isinstance(tree, dict):
        return tree
    kept = {name: without_empty(value) for name, value in tree.items()}
    return {name: value for name, value in kept.items() if value is not None and value != {}}


def dead_token(
    outcome: Outcome, service: str, status: int, code: str | None, *, proven: bool, since: object = None
) -> Outcome:
    """The same outcome, or the refusal of a token that is dead by `DEAD_TOKENS`.

    Args:
        proven: whether the account has sent a message since the process began.
        since: milliseconds since 1970 at which the service noticed, where it says so.
    """
    needs_proof = DEAD_TOKENS.get((service, status, code))
    if needs_proof is None or (needs_proof and not proven):
        return outcome
    at = None
    if isinstance(since, int) and 0 < since < _MILLIS_MAX:
        at = datetime.fromtimestamp(since / 1000, UTC)
    return Refused(getattr(outcome, "reason", f"{status} {code}"), gone=True, gone_at=at)


_MILLIS_MAX = 32_503_680_000_000
"""The year 3000."""
