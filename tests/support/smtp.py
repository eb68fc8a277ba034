"""SMTP servers for tests, in this process: a real one (aiosmtpd), and one that misbehaves as scripted."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.parser import Parser
from email.policy import SMTPUTF8
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Mailbox:
    """What a real server got, and how it answers: by the local part of the recipient's address.

    `refuse…@` → 550, `defer…@` → 451, others → 250.  `silent…@` → takes the message and does not answer; at
    `hung_up` it drops the connection.
    """

    mails: list[EmailMessage] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    sessions: set[int] = field(default_factory=set)
    recipients: list[str] = field(default_factory=list)
    port: int = 0
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_RCPT(  # noqa: N802  as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions.add(id(session))
        if address.startswith("refuse"):
            return f"550 5.1.1 <{address}>: Recipient address rejected"
        if address.startswith("defer"):
            return f"451 4.7.1 {address} is greylisted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802  as aiosmtpd calls it
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.recipients += envelope.rcpt_tos
        content = envelope.original_content or b""
        self.raw.append(content)
        self.mails.append(Parser(EmailMessage, policy=SMTPUTF8).parsestr(content.decode()))
        if envelope.rcpt_tos[0].startswith("silent"):
            await self.hung_up.wait()
            server.transport.abort()
        return "250 2.0.0 Ok: queued as 4711"


@asynccontextmanager
async def mailbox(
    *,
    tls: ssl.SSLContext | None = None,
    starttls: ssl.SSLContext | None = None,
    login: tuple[str, str] | None = None,
    utf8: bool = False,
) -> AsyncIterator[Mailbox]:
    """A real server on a free port of this host."""
    box = Mailbox()

    def authenticate(
        server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == login, handled=False)

    def session() -> SMTP:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # logins in the clear, on this host alone
            return SMTP(
                box,
                hostname="mailbox.test",
                enable_SMTPUTF8=utf8,
                tls_context=starttls,
                authenticator=authenticate if login else None,
                auth_required=login is not None,
                auth_require_tls=False,
            )

    server = await asyncio.get_running_loop().create_server(session, "127.0.0.1", 0, ssl=tls)
    box.port = server.sockets[0].getsockname()[1]
    try:
        yield box
    finally:
        server.close()


DROP = "drop"
"""Close the connection instead of answering."""
HANG = "hang"
"""Never answer."""

AFTER = "after "
"""`after 0.5 250 ok`: answer late."""

POLITE: Mapping[str, str] = {
    "greeting": "220 scripted.test ESMTP",
    "EHLO": "250-scripted.test\r\n250 SMTPUTF8",
    "HELO": "250 scripted.test",
    "AUTH": "235 2.7.0 welcome",
    "MAIL": "250 2.1.0 Ok",
    "RCPT": "250 2.1.5 Ok",
    "DATA": "354 End data with <CR><LF>.<CR><LF>",
    "content": "250 2.0.0 Ok: queued",
    "RSET": "250 2.0.0 Ok",
    "QUIT": "221 2.0.0 Bye",
}


class Scripted:
    """A server that answers each command as told; answers divided by `|` take turns, the last one stays."""

    def __init__(self, **answers: str) -> None:
        self._answers = {name: text.split("|") for name, text in (POLITE | answers).items()}
        self.heard: list[str] = []
        """Commands, in order; `content` when a message was complete, `part` when only some of it came."""
        self.connections = 0
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        self.connections += 1
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            going = await self._answer("greeting", writer)
            while going and (line := await reader.readline()):
                name = line.split()[0].decode().upper()
                self.heard.append(name)
                going = await self._answer(name, writer)
                if going and name == "DATA" and self._last.startswith("354"):
                    going = await self._content(reader, writer)
                going = going and name != "QUIT"
        writer.close()

    async def _content(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self._answers["content"][0] == "drop early":
            await reader.readline()
            self.heard.append("part")
            return False
        await reader.readuntil(b"\r\n.\r\n")
        self.heard.append("content")
        return await self._answer("content", writer)

    async def _answer(self, name: str, writer: asyncio.StreamWriter) -> bool:
        turns = self._answers.get(name, ["500 5.5.1 unknown"])
        self._last = turns.pop(0) if len(turns) > 1 else turns[0]
        if self._last == HANG:
            await asyncio.Event().wait()
        if self._last.startswith(AFTER):
            seconds, self._last = self._last.removeprefix(AFTER).split(" ", 1)
            await asyncio.sleep(float(seconds))
        if self._last == DROP:
            return False
        writer.write(self._last.encode("utf-8", "surrogateescape") + b"\r\n")
        await writer.drain()
        return not self._last.startswith("421")


@asynccontextmanager
async def scripted(**answers: str) -> AsyncIterator[Scripted]:
    """A misbehaving server on a free port of this host."""
    script = Scripted(**answers)
    talks: set[asyncio.Task[None]] = set()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        talks.add(task)
        await script.talk(reader, writer)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        server.close()
        for task in talks:
            task.cancel()
        await asyncio.gather(*talks, return_exceptions=True)


def certificate(folder: Path, name: str = "localhost") -> tuple[Path, ssl.SSLContext]:
    """A certificate for `name`, signed by itself: its PEM file, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=5))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return pem, context
