"""What an SMTP server's answer, or its silence, means for a message: RFC 5321, as a table.

    stage          2yz        4yz        5yz        other      lost or timed out
    connecting     –          Deferred   Account    Deferred   Deferred
    logging in     –          Account    Account    Deferred   Deferred
    sender         –          Deferred   Account    Deferred   Deferred
    recipient      –          Deferred   Refused    Deferred   Deferred
    DATA           –          Deferred   Refused    Deferred   Deferred
    content        Accepted   Deferred   Refused    Unknown    Unknown

Until the content is on its way the server has nothing it could deliver: whatever happens is definite.  Before
the recipient is named nothing concerns it: a server that turns us away then means our account.  Many servers
say so only after that, and `faults` reads it from their codes and words.
"""

import re
import socket
import ssl
from collections.abc import Iterator
from enum import Enum

from aiosmtplib import SMTPConnectError, SMTPException, SMTPServerDisconnected, SMTPTimeoutError

from adapters.providers.email.smtp.rejections import Fault, meaning
from adapters.providers.kit.redaction import known_words
from domain.provider.outcome import AccountFault, Deferred, Refused, Unknown


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


_ALONE = (Stage.CONNECT, Stage.LOGIN, Stage.SENDER)
"""Stages at which the server knows nothing of the message yet."""
_TEXT_MAX = 200
_READ_MAX = 1_000
_CLOSING = 421
_ADDRESS = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
_NO_SUCH_HOST = {getattr(socket, name) for name in ("EAI_NONAME", "EAI_NODATA") if hasattr(socket, name)}


def answered(
    stage: Stage, code: int, text: str, recipient: str
) -> Deferred | Refused | AccountFault | Unknown:
    """What an answer other than "go on" means.

    Servers like to quote what they were given; reasons are stored in the clear, so once they know of the
    recipient only known words are kept.
    """
    text = text[:_READ_MAX]
    reason = f"{stage.value}: {code} {_kept(stage, text)}".rstrip()
    family = code // 100
    if family not in (4, 5):
        if stage is Stage.CONTENT:
            return Unknown(f"{stage.value}: an answer that is none ({code})")
        return Deferred(reason, looked_at=False)
    if stage is Stage.CONNECT or stage is Stage.LOGIN:
        ours = family == 5 or (stage is Stage.LOGIN and code != _CLOSING)
        return AccountFault(reason) if ours else Deferred(reason, looked_at=False)
    about = meaning(code, text, before_content=stage is not Stage.CONTENT)
    if stage is Stage.SENDER and family == 5:
        unfit = about is Fault.MESSAGE or not recipient.isascii()  # its size, or SMTPUTF8 after all
        return Refused(reason) if unfit else AccountFault(reason)
    if about in (Fault.ACCOUNT, Fault.PERHAPS):
        return AccountFault(reason, certain=about is Fault.ACCOUNT or stage is Stage.SENDER)
    return Refused(reason) if family == 5 else Deferred(reason, looked_at=stage not in _ALONE)


def broken(stage: Stage, error: Exception) -> Deferred | AccountFault | Unknown:
    """What an error means that is no answer."""
    why = _kept(stage, getattr(error, "strerror", None) or str(error)) or type(error).__name__
    if stage in (Stage.CONNECT, Stage.LOGIN) and _never_works(error):
        return AccountFault(f"{stage.value}: {why}")
    return unanswered(stage, why)


def unanswered(stage: Stage, why: str) -> Deferred | Unknown:
    """What a lost connection or a time-out means."""
    reason = f"{stage.value}: {why[:_TEXT_MAX]}"
    return Unknown(reason) if stage is Stage.CONTENT else Deferred(reason, looked_at=stage not in _ALONE)


def _never_works(error: Exception) -> bool:
    """As it is configured: no such host, another certificate or kind of TLS, an extension it lacks."""
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


def _kept(stage: Stage, text: str) -> str:
    plain = "".join(one if one.isprintable() else " " for one in text)
    if stage in _ALONE:  # it speaks of us
        return _ADDRESS.sub("…", plain)[:_TEXT_MAX]
    return known_words(plain)[:_TEXT_MAX]
