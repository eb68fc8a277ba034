"""What push services have in common.

The title is the message's subject.  Apps get, beside the shop's own data, our ids and `link`, all as text.
"""

import msgspec

from adapters.providers.kit.requests import correlation
from application.provider.ports import OutboundMessage
from domain.channel.parts import PushParts
from domain.kernel.json_values import Json
from domain.provider.outcome import Refused


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
