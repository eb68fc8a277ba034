"""A mail server that keeps what it gets: real SMTP, two kinds of troublesome mailboxes, nothing leaves."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from email import message_from_bytes, policy
from email.message import EmailMessage

import msgspec
from aiosmtpd.smtp import SMTP, Envelope, Session

from entrypoints.demo import shop

KEPT_MAX = 500


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """One message as it came in."""

    id: str
    """The delivery's: it stands in the Message-ID."""
    sender: str
    to: str
    subject: str
    text: str
    html: str


class MailSink:
    """An SMTP server on a free port of this machine."""

    def __init__(self, taken: Callable[[Mail], None]) -> None:
        """`taken` is called with each message, before its sender is told so."""
        self.mails: OrderedDict[str, Mail] = OrderedDict()
        self.received = 0
        self.deferred = 0
        self._taken = taken
        self._put_off: set[str] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> int:
        """Listen; returns the port."""
        loop = asyncio.get_running_loop()

        def session() -> SMTP:
            return SMTP(self, hostname="mail.fernwood.example.com", ident="Posthorn demo", loop=loop)

        self._server = await loop.create_server(session, "127.0.0.1", 0)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take nothing more."""
        if self._server is not None:
            self._server.close()

    async def handle_RCPT(  # noqa: N802  aiosmtpd's naming
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse, put off or take a mailbox."""
        domain = address.rpartition("@")[2]
        if domain == shop.CLOSED:
            return "550 5.1.1 No such mailbox here"
        if domain == shop.BUSY and address not in self._put_off:
            self._put_off.add(address)
            self.deferred += 1
            return "451 4.7.1 Greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the message."""
        mail = _read(envelope.content)
        self.received += 1
        self.mails[mail.id] = mail
        while len(self.mails) > KEPT_MAX:
            self.mails.popitem(last=False)
        self._taken(mail)
        return "250 2.0.0 Kept"


def _read(content: object) -> Mail:
    raw = content if isinstance(content, bytes) else str(content).encode()
    message = message_from_bytes(raw, policy=policy.default)
    if not isinstance(message, EmailMessage):
        raise TypeError("the default policy makes EmailMessages")
    return Mail(
        id=str(message["message-id"] or "").strip(" <>").partition("@")[0],
        sender=str(message["from"] or ""),
        to=str(message["to"] or ""),
        subject=str(message["subject"] or ""),
        text=_part(message, "plain"),
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    return str(part.get_content()) if isinstance(part, EmailMessage) else ""
