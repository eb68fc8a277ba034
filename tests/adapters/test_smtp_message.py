"""E-mails as octets: what a receiver reads is what was written, and nothing breaks out."""

import base64
import re
from datetime import UTC, datetime
from email.header import decode_header, make_header
from email.headerregistry import AddressHeader
from email.message import EmailMessage
from email.parser import Parser
from email.policy import SMTPUTF8
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from adapters.providers.email.smtp.message import MailObject, MailWriter
from tests.contract.gateway import message

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
EXPECTED = {
    "From", "To", "Subject", "Date", "Message-ID", "X-Posthorn-Delivery", "Auto-Submitted",
    "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
}  # fmt: skip


def write(*, reply_to: str | None = None, **changes: Any) -> MailObject:
    return MailWriter(sender="The Shop <shop@shop.test>", reply_to=reply_to).write(message(**changes), NOON)


def received(mail_object: MailObject) -> EmailMessage:
    assert mail_object.content.endswith(b"\r\n.\r\n")
    content = mail_object.content[: -len(b".\r\n")].replace(b"\r\n..", b"\r\n.")
    return Parser(EmailMessage, policy=SMTPUTF8).parsestr(content.decode())


def part(mail: EmailMessage, kind: str) -> str:
    found = mail.get_body((kind,))
    assert found is not None
    return str(found.get_content()).replace("\r\n", "\n")


def test_headers() -> None:
    sent = message(subject="Your order A-1", name="Ada Lovelace")
    mail_object = MailWriter(sender="The Shop <shop@shop.test>", reply_to="help@shop.test").write(sent, NOON)
    mail = received(mail_object)
    assert mail["From"] == "The Shop <shop@shop.test>"
    assert mail["To"] == "Ada Lovelace <ada@shop.test>"
    assert mail["Reply-To"] == "help@shop.test"
    assert mail["Subject"] == "Your order A-1"
    assert mail["Date"] == "Sun, 01 Mar 2026 12:00:00 +0000"
    assert mail["Message-ID"] == f"<{mail_object.message_id}>" == f"<{sent.delivery}@shop.test>"
    assert mail["X-Posthorn-Delivery"] == str(sent.delivery)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert (mail_object.sender, mail_object.recipient, mail_object.smtputf8) == (
        "shop@shop.test",
        "ada@shop.test",
        False,
    )


def test_the_message_id_is_the_same_on_every_attempt_and_another_for_every_delivery() -> None:
    sent = message()
    writer = MailWriter(sender="shop@shop.test")
    again = message(delivery=sent.delivery, attempt=2, body="changed")
    assert writer.write(sent, NOON).message_id == writer.write(again, NOON).message_id
    assert writer.write(message(), NOON).message_id != writer.write(message(), NOON).message_id


def test_text_and_html_are_alternatives_the_last_one_richest() -> None:
    mail = received(write(body="Grüße\n", html_body="<p>Grüße</p>\n"))
    assert mail.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in mail.iter_parts()] == ["text/plain", "text/html"]
    assert part(mail, "plain") == "Grüße\n"
    assert part(mail, "html") == "<p>Grüße</p>\n"


def test_one_part_alone() -> None:
    assert received(write(body="Hi")).get_content_type() == "text/plain"
    assert received(write(body=None, html_body="<p>")).get_content_type() == "text/html"
    assert part(received(write(body=None)), "plain").strip() == ""


def test_a_letter_outside_ascii_in_front_of_the_at_needs_smtputf8() -> None:
    mail_object = write(address="jörg@shop.test")
    assert mail_object.smtputf8
    header = received(mail_object)["To"]
    assert isinstance(header, AddressHeader)
    assert header.addresses[0].addr_spec == "jörg@shop.test"


@pytest.mark.parametrize(
    "address",
    [
        "", "ada", "=?utf-8?q?ada?=@shop.test", "@shop.test", "ada@", "a b@shop.test",
        "ada@shop.test\r\nRCPT TO:<eve@x>",
        "ada@shop.test> NOTIFY=SUCCESS", "<ada@shop.test>", "ada@shop.test,eve@x.test", "a@b@c",
        "ada@shop.test\0", '"ada lovelace"@shop.test', "ada(comment)@shop.test", "+4930901820",
    ],
)  # fmt: skip
def test_what_could_break_out_of_a_command_is_no_address(address: str) -> None:
    with pytest.raises(ValueError, match=r"^not an e-mail address$"):
        write(address=address)


EVIL = [
    "\r\nBcc: eve@x.test", "\nBcc: eve@x.test", "\r\n\r\nbody", "a\rb", "a\x0bb", "a\x0cb", "a\x1cb",
    "a\x85b", "a\u2028Bcc: eve@x.test", "\0", "trailing\n", "x" * 300 + "\r\nBcc: eve@x.test",
    "=?utf-8?q?=0D=0ABcc:_eve@x.test?=", "=?utf-8?b?DQpCY2M6IGV2ZUB4LnRlc3Q=?=",
    "=\0?utf-8?q?=0D=0ABcc:_eve@x.test?=", "==??utf-8?q?=0D=0ABcc:_eve@x.test?=",
    "é =?utf-8?q?=0D=0ABcc:_eve?=",
]  # fmt: skip


@pytest.mark.parametrize("evil", EVIL)
@pytest.mark.parametrize("field", ["subject", "name"])
def test_headers_cannot_be_broken_out_of(field: str, evil: str) -> None:
    mail = received(write(**{field: evil}))
    assert set(mail.keys()) <= EXPECTED
    assert mail["Bcc"] is None
    assert part(mail, "plain") == "Thank you.\n"


WORDS = st.sampled_from(
    ["=?", "?=", "utf-8", "?q?", "?b?", "=0D=0A", "DQpCY2M6", " ", "\r\n", "Bcc: e@x", '"', "é"]
)
HEADER_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=120) | st.lists(
    WORDS, max_size=30
).map("".join)
BODY_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"], include_characters="\n\t."), max_size=400)


@given(subject=HEADER_TEXT, name=HEADER_TEXT)
def test_no_header_text_adds_a_header_or_a_raw_line_end(subject: str, name: str) -> None:
    mail_object = write(subject=subject, name=name)
    head, _, rest = mail_object.content.partition(b"\r\n\r\n")
    assert rest == b"Thank you.\r\n.\r\n"
    assert {
        line.split(b":")[0].decode() for line in head.split(b"\r\n") if not line[:1].isspace()
    } <= EXPECTED
    assert all(len(line) <= 998 for line in mail_object.content.split(b"\r\n"))
    assert mail_object.content.isascii()


@given(subject=HEADER_TEXT, name=HEADER_TEXT)
def test_header_text_reads_as_written_spaces_made_plain(subject: str, name: str) -> None:
    head = write(subject=subject, name=name).content.partition(b"\r\n\r\n")[0].decode()
    fields = dict(line.split(": ", 1) for line in head.replace("\r\n ", "\n ").split("\r\n"))
    assert decoded(fields["Subject"]) == plain(subject)
    display, _, address = fields["To"].rpartition("<")
    if plain(name):
        quoted = display.strip().removeprefix('"').removesuffix('"')
        unquoted = (
            quoted.replace('\\"', '"').replace("\\\\", "\\") if display.startswith('"') else display.strip()
        )
        assert decoded(unquoted) == plain(name)
        assert address == "ada@shop.test>"
    else:
        assert fields["To"] == "ada@shop.test"


def decoded(text: str) -> str:
    return str(make_header(decode_header(text)))


def plain(text: str) -> str:
    return re.sub(r"[\x00-\x1f\x7f-\x9f]", "", " ".join(text.split()))


@given(body=BODY_TEXT, html=BODY_TEXT)
@example(body="é" + "x" * 3_000, html="é" * 3_000)
@example(body="x" * 3_000, html="x" * 998)
@example(body=".\n..\n.x", html="--=_" + "0" * 32 + "--\n=_")
def test_content_arrives_as_written_and_never_ends_early(body: str, html: str) -> None:
    mail_object = write(body=body, html_body=html)
    bare = mail_object.content.replace(b"\r\n", b"")
    assert b"\r" not in bare
    assert b"\n" not in bare
    assert b"\r\n.\r\n" not in mail_object.content[:-3].removesuffix(b"\r\n")
    mail = received(mail_object)
    for kind, written in (("plain", body), ("html", html)):
        assert part(mail, kind).rstrip("\n") == written.rstrip("\n")


def test_parts_of_an_email_are_in_its_headers() -> None:
    parts = {"replyTo": "Help <help@shop.test>", "sender": '"Größe & Co" <news@shop.test>'}
    mail_object = write(parts=parts, reply_to="nobody@shop.test")
    mail = received(mail_object)
    assert mail["Reply-To"] == "Help <help@shop.test>"
    assert mail["From"] == "Größe & Co <news@shop.test>"
    assert mail_object.sender == "news@shop.test"


@pytest.mark.parametrize("parts", [{"replyTo": "a@b\r\nBcc: eve@x.test"}, {"sender": "no address"}])
def test_a_part_cannot_break_out_of_its_header(parts: dict[str, str]) -> None:
    with pytest.raises((ValueError, msgspec.ValidationError)):
        write(parts=parts)


@pytest.mark.parametrize("name", ["invoice 4711.pdf", 'Größe "1"; x=y.pdf', "a\r\nBcc: eve@x.test"])
def test_files_go_along(name: str) -> None:
    content = bytes(range(256)) * 10
    file = {"name": name, "type": "application/pdf", "content": base64.b64encode(content).decode()}
    mail = received(write(body="Hi", html_body="<p>Hi</p>", parts={"attachments": [file, file]}))
    assert mail.get_content_type() == "multipart/mixed"
    assert part(mail, "html") == "<p>Hi</p>"
    files = list(mail.iter_attachments())
    assert [each.get_content() for each in files] == [content, content]
    assert files[0].get_filename() == name.replace("\r\n", " ")
    assert mail["Bcc"] is None


def test_a_message_with_parts_but_without_files_is_as_before() -> None:
    assert received(write(body="Hi", parts={"replyTo": "a@b.test"})).get_content_type() == "text/plain"
