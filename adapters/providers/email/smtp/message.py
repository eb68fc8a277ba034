"""Mail objects (RFC 5321, 2.3.1): an envelope, and content in the format of RFC 5322 and MIME.

Written by hand, for the few headers there are: Python's `EmailMessage` decodes encoded words in what it is
given (a customer called `=?utf-8?q?=0D=0ABcc:…?=` adds a header), loses spaces of long subjects that are not
ASCII, and takes milliseconds.  Here no value can break out of its header: each is printable by construction.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from datetime import datetime
from email.utils import format_datetime, parseaddr

import msgspec

from adapters.providers.email.smtp.attachments import mixed
from adapters.providers.kit.email import email_parts
from application.provider.ports import OutboundMessage
from domain.kernel.errors import Misconfigured

_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_PART = r"""[^\s\x00-\x1f\x7f-\x9f<>()\[\],:;@\\"]+"""
_ADDRESS = re.compile(f"{_PART}@{_PART}")
"""Addresses were checked when they came in; this is about what could break out of a command or a header."""
_LINE_END = re.compile(r"\r\n|\r|\n")
_DOT = re.compile(rb"^\.", re.MULTILINE)
_LINE_MAX = 998  # RFC 5322, 2.1.1
_PLAIN_MAX = 500
_WORD_OCTETS = 45  # base64 of them and the wrapping fit into the 75 characters of an encoded word
_BASE64_FROM = 1.25  # octets a character: beyond, quoted-printable is longer


_FIXED = ("Auto-Submitted: auto-generated", "MIME-Version: 1.0")  # RFC 3834: no holiday replies


class MailObject(msgspec.Struct, frozen=True):
    """An e-mail with its envelope, ready for the wire."""

    sender: str
    """For MAIL FROM."""
    recipient: str
    """For RCPT TO."""
    message_id: str
    """Without angle brackets."""
    content: bytes
    """What follows DATA: CRLF line ends, dots stuffed, the final dot included."""
    smtputf8: bool
    """Needs SMTPUTF8 (RFC 6531): the address has letters outside ASCII."""


class MailWriter:
    """Writes the e-mails of one sender.

    The Message-ID is made of the delivery's id alone, the same on every attempt: when an outcome was unknown
    and the message goes out again, receivers and their mail programs can tell that both are one.
    """

    def __init__(self, *, sender: str, reply_to: str | None = None) -> None:
        """Read the sender's addresses.

        Raises:
            Misconfigured: one of them is no address.
        """
        name, self._sender = _own_address(sender)
        self._from = f"From: {_mailbox(name, self._sender)}"
        self._reply_to = None if reply_to is None else f"Reply-To: {_mailbox(*_own_address(reply_to))}"
        self.domain = self._sender.rpartition("@")[2]

    def write(self, message: OutboundMessage, at: datetime) -> MailObject:
        """Put a message into its envelope.

        Args:
            at: aware; becomes the Date.

        Raises:
            ValueError: it cannot be an e-mail; the text says why, without any of its content.
        """
        if message.parts:
            return self._with_parts(message, at)
        return self._written(message, at, self._sender, self._from, self._reply_to, _body(message))

    def _with_parts(self, message: OutboundMessage, at: datetime) -> MailObject:
        parts = email_parts(message)
        sender, from_, reply_to = self._sender, self._from, self._reply_to
        try:
            if parts.sender is not None:
                name, sender = _own_address(parts.sender)
                from_ = f"From: {_mailbox(name, sender)}"
            if parts.reply_to is not None:
                reply_to = f"Reply-To: {_mailbox(*_own_address(parts.reply_to))}"
        except Misconfigured:
            raise ValueError("its sender or replyTo is no address") from None
        body = mixed(_body(message), parts.attachments, f"=_{message.delivery.hex}_files")
        return self._written(message, at, sender, from_, reply_to, body)

    def _written(
        self,
        message: OutboundMessage,
        at: datetime,
        sender: str,
        from_: str,
        reply_to: str | None,
        body: list[str],
    ) -> MailObject:
        if not _is_address(message.address):
            raise ValueError("not an e-mail address")
        message_id = f"{message.delivery}@{self.domain}"
        head = [
            from_,
            *([] if reply_to is None else [reply_to]),
            *_FIXED,
            f"To: {_mailbox(_one_line(message.name or ''), message.address)}",
            f"Subject: {_unstructured(_one_line(message.subject or ''))}",
            f"Date: {format_datetime(at)}",
            f"Message-ID: <{message_id}>",
            f"X-Posthorn-Delivery: {message.delivery}",
        ]
        try:
            written = "\r\n".join([*head, *body]).encode()
        except UnicodeEncodeError:
            raise ValueError("a character that cannot be sent") from None
        content = _DOT.sub(b"..", written) + b"\r\n.\r\n"
        return MailObject(sender, message.address, message_id, content, not message.address.isascii())


def _body(message: OutboundMessage) -> list[str]:
    """The remaining headers, an empty line, and the content."""
    if message.html_body is None:
        return _part("plain", message.body or "")
    if message.body is None:
        return _part("html", message.html_body)
    boundary = f"=_{message.delivery.hex}"
    delimiter = f"--{boundary}"
    return [
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
        delimiter,
        *_part("plain", message.body),
        delimiter,
        *_part("html", message.html_body),
        f"{delimiter}--",
    ]


def _part(kind: str, text: str) -> list[str]:
    encoding, content = _encoded(_LINE_END.sub("\r\n", text))
    return [
        f"Content-Type: text/{kind}; charset=utf-8",
        f"Content-Transfer-Encoding: {encoding}",
        "",
        content,
    ]


def _encoded(text: str) -> tuple[str, str]:
    """Content that every server takes: ASCII in short lines, without the `=_` of our boundaries."""
    short = max(map(len, text.split("\r\n"))) <= _LINE_MAX
    if short and text.isascii() and "=_" not in text and "\0" not in text:
        return "7bit", text
    octets = text.encode()
    if len(octets) > len(text) * _BASE64_FROM:
        return "base64", _LINE_END.sub("\r\n", base64.encodebytes(octets).decode().rstrip())
    return "quoted-printable", _LINE_END.sub("\r\n", binascii.b2a_qp(octets, istext=True).decode())


def _mailbox(name: str, address: str) -> str:
    if not name:
        return address
    if _needs_no_encoding(name):
        return '"{}" <{}>'.format(name.replace("\\", "\\\\").replace('"', '\\"'), address)
    return f"{_unstructured(name)}\r\n <{address}>"


def _unstructured(text: str) -> str:
    """Header text: as it is, or in encoded words (RFC 2047) that are read back exactly."""
    if _needs_no_encoding(text):
        return text
    return "\r\n ".join(f"=?utf-8?b?{base64.b64encode(part).decode()}?=" for part in _split(text))


def _split(text: str) -> Iterator[bytes]:
    """Octets for one encoded word each; no character is torn apart."""
    part = b""
    for character in text:
        octets = character.encode()
        if len(part) + len(octets) > _WORD_OCTETS:
            yield part
            part = b""
        part += octets
    yield part


def _needs_no_encoding(text: str) -> bool:
    return text.isascii() and "=?" not in text and len(text) <= _PLAIN_MAX


def _own_address(written: str) -> tuple[str, str]:
    name, address = parseaddr(written)
    if not _is_address(address) or not address.isascii() or _CONTROLS.search(written):
        raise Misconfigured(
            f"'{written}' is no sender: write `shop@example.org` or `The Shop <shop@example.org>`"
        )
    return name, address


def _is_address(text: str) -> bool:
    """An encoded word is none: it goes bare into a header, where many programs would decode it."""
    return _ADDRESS.fullmatch(text) is not None and "=?" not in text


def _one_line(text: str) -> str:
    """Every kind of space and line end becomes one plain space; other control characters go."""
    return _CONTROLS.sub("", " ".join(text.split()))
