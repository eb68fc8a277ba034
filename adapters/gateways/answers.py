"""What an SMTP server's answer, or its silence, means for a message: RFC 5321, as a table.

    stage          2yz        4yz        5yz        other      lost or timed out
    connecting     –          Deferred   Deferred   Deferred   Deferred
    logging in     –          Deferred   Refused    Deferred   Deferred
    sender         –          Deferred   Refused    Deferred   Deferred
    recipient      –          Deferred   Refused    Deferred   Deferred
    DATA           –          Deferred   Refused    Deferred   Deferred
    content        Accepted   Deferred   Refused    Unknown    Unknown

Until the content is on its way the server has nothing it could deliver: whatever happens is definite.  A
server that turns us away while we connect has not judged the message, so 5yz is for good only after that.
"""

import re
from enum import Enum

from domain.delivery.outcome import Deferred, Refused, Unknown


class Stage(Enum):
    """How far a call has come."""

    CONNECT = "connecting"
    LOGIN = "logging in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    CONTENT = "message"


class Progress:
    """Where a call stands; whoever ends it looks here."""

    __slots__ = ("stage",)

    def __init__(self) -> None:
        self.stage = Stage.CONNECT


_TEXT_MAX = 200
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")


def answered(stage: Stage, code: int, text: str, recipient: str) -> Deferred | Refused | Unknown:
    """What an answer other than "go on" means.

    Servers like to quote the recipient; reasons are stored in the clear, so addresses are taken out.
    """
    reason = f"{stage.value}: {code} {_without_addresses(text, recipient)}".rstrip()
    family = code // 100
    if family == 5 and stage is not Stage.CONNECT:
        return Refused(reason)
    if stage is Stage.CONTENT and family != 4 and family != 5:
        return Unknown(f"{stage.value}: an answer that is none ({code})")
    return Deferred(reason)


def unanswered(stage: Stage, why: str) -> Deferred | Unknown:
    """What a lost connection or a time-out means."""
    reason = f"{stage.value}: {why[:_TEXT_MAX]}"
    return Unknown(reason) if stage is Stage.CONTENT else Deferred(reason)


def _without_addresses(text: str, recipient: str) -> str:
    plain = _ADDRESS.sub("…", "".join(one if one.isprintable() else " " for one in text))
    local = recipient.rpartition("@")[0]
    if local:
        plain = re.sub(rf"(?<!\w){re.escape(local)}(?!\w)", "…", plain, flags=re.IGNORECASE)
    return plain[:_TEXT_MAX]
