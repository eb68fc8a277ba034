"""What an SMTP server's reply, or its silence, means for a message: RFC 5321, as a table.

    stage          2yz        4yz        5yz        other      lost or timed out
    connecting     –          Deferred   Account    Deferred   Deferred
    logging in     –          Account    Account    Deferred   Deferred
    sender         –          Deferred   Account    Deferred   Deferred
    recipient      –          Deferred   Refused    Deferred   Deferred
    DATA           –          Deferred   Refused    Deferred   Deferred
    content        Accepted   Deferred   Refused    Unknown    Unknown

Until the content is on its way the server has nothing it could deliver: whatever happens is definite.  Before
the recipient is named nothing concerns it: a server that turns us away then means our account.  Many servers
say so only after that, and `rejections` reads it from their codes and words.
"""

import re
import socket
import ssl
from collections.abc import Iterator
from enum import Enum

from aiosmtplib import SMTPConnectError, SMTPException, SMTPServerDisconnected, SMTPTimeoutError

from adapters.providers.email.smtp.rejections import FaultOwner, fault_owner
from adapters.providers.kit.redaction import redacted
from domain.provider.outcome import AccountFault, Deferred, Refused, Unknown


class Stage(Enum):
    """How far a call has come."""

    CONNECT = "connecting"
    LOGIN = "logging in"
    SENDER = "sender"
    RECIPIENT = "recipient"
    DATA = "data"
    CONTENT = "message"


class CallProgress:
    """The stage that a call has reached, kept where a time-out or an error can read it."""

    __slots__ = ("stage",)

    def __init__(self) -> None:
        self.stage = Stage.CONNECT


_BEFORE_RECIPIENT = (Stage.CONNECT, Stage.LOGIN, Stage.SENDER)
"""Stages at which the server knows nothing of the message yet."""
_TEXT_MAX = 200
_READ_MAX = 1_000
CLOSING = 421
"""The server closes the connection."""
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
_NO_SUCH_HOST = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}


def outcome_of_reply(
    stage: Stage, code: int, text: str, recipient: str
) -> Deferred | Refused | AccountFault | Unknown:
    """What a reply other than "go on" means.

    Servers like to quote what they were given; reasons are stored in the clear, so once they know of the
    recipient only known words are kept.
    """
    text = text[:_READ_MAX]
    reason = f"{stage.value}: {code} {_without_addresses(stage, text)}".rstrip()
    family = code // 100
    if family not in (4, 5):
        if stage is Stage.CONTENT:
            return Unknown(f"{stage.value}: an answer that is none ({code})")
        return Deferred(reason, examined=False)
    if stage is Stage.CONNECT or stage is Stage.LOGIN:
        ours = family == 5 or (stage is Stage.LOGIN and code != CLOSING)
        return AccountFault(reason) if ours else Deferred(reason, examined=False)
    owner = fault_owner(code, text, before_content=stage is not Stage.CONTENT)
    if stage is Stage.SENDER and family == 5:
        its_own = owner is FaultOwner.MESSAGE or not recipient.isascii()  # its size, or SMTPUTF8 after all
        return Refused(reason) if its_own else AccountFault(reason)
    if owner in (FaultOwner.ACCOUNT, FaultOwner.PERHAPS_ACCOUNT):
        return AccountFault(reason, certain=owner is FaultOwner.ACCOUNT or stage is Stage.SENDER)
    return Refused(reason) if family == 5 else Deferred(reason, examined=stage not in _BEFORE_RECIPIENT)


def outcome_of_error(stage: Stage, error: Exception) -> Deferred | AccountFault | Unknown:
    """What an error means that is no reply."""
    why = _without_addresses(stage, getattr(error, "strerror", None) or str(error)) or type(error).__name__
    if stage in (Stage.CONNECT, Stage.LOGIN) and _is_misconfigured(error):
        return AccountFault(f"{stage.value}: {why}")
    return outcome_of_silence(stage, why)


def outcome_of_silence(stage: Stage, why: str) -> Deferred | Unknown:
    """What a lost connection or a time-out means."""
    reason = f"{stage.value}: {why[:_TEXT_MAX]}"
    return (
        Unknown(reason)
        if stage is Stage.CONTENT
        else Deferred(reason, examined=stage not in _BEFORE_RECIPIENT)
    )


def _is_misconfigured(error: Exception) -> bool:
    """It cannot work as configured: no such host, another certificate or kind of TLS, a missing extension."""
    for each in _chain(error):
        if isinstance(each, ssl.SSLError):
            return not isinstance(each, ssl.SSLEOFError | ssl.SSLZeroReturnError | ssl.SSLSyscallError)
        if isinstance(each, socket.gaierror):
            return each.errno in _NO_SUCH_HOST
    lost = SMTPServerDisconnected | SMTPConnectError | SMTPTimeoutError
    return isinstance(error, SMTPException) and not isinstance(error, lost)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__


def _without_addresses(stage: Stage, text: str) -> str:
    plain = "".join(one if one.isprintable() else " " for one in text)
    if stage in _BEFORE_RECIPIENT:  # it speaks of us
        return _ADDRESS.sub("…", plain)[:_TEXT_MAX]
    return redacted(plain)[:_TEXT_MAX]
