"""How much a message may be on each channel."""

import base64

import pytest

from domain.channel.limits import PUSH_BYTES_MAX, PUSH_BYTES_OURS, as_sent, excess
from domain.channel.parts import ATTACHMENTS_BYTES
from domain.kernel.json_values import Json


def part(channel: str, body: str | None = None, **parts: Json) -> str | None:
    found = excess(channel, None, body, parts)
    return found[0] if found else None


def file(size: int = 3, **more: Json) -> dict[str, Json]:
    content = base64.b64encode(b"x" * size).decode()
    return {"name": "a.pdf", "type": "application/pdf", "content": content, **more}


def test_ten_segments_and_no_more() -> None:
    assert part("sms", "x" * 1_530) is None
    assert part("sms", "x" * 1_531) == "body"
    assert part("sms", "谢" * 670) is None
    assert part("sms", "谢" * 671) == "body"


def test_typographic_characters_do_not_count_unless_they_are_wanted() -> None:
    text = "“" + "x" * 1_500
    assert part("sms", text) is None
    assert part("sms", text, smartEncoding=False) == "body"
    assert len(as_sent("it’s", {}).parts) == 1


def test_what_push_services_take() -> None:
    frame = len('{"title":null,"body":""}')
    most = PUSH_BYTES_MAX - PUSH_BYTES_OURS - frame
    assert part("push", "x" * most) is None
    assert part("push", "x" * (most + 1)) == "body"
    assert part("push", "", data={"x": "é" * 2_048}) == "data"


def test_a_document_is_bounded() -> None:
    assert part("webhook", document="x" * 200_000) is None
    assert part("webhook", document="x" * 300_000) == "document"


@pytest.mark.parametrize(
    ("files", "where"),
    [
        ([file()], None),
        ([file(content=None, url="https://shop.test/a.pdf")], None),
        ([file(), file(content="=")], "attachments/1/content"),
        ([file(content="not base64!")], "attachments/0/content"),
        ([file(content=None)], "attachments/0"),
        ([file(url="https://shop.test/a.pdf")], "attachments/0"),
        ([file(content=None, url="file:///etc/passwd")], "attachments/0/url"),
        ([file(name="../a.pdf")], "attachments/0/name"),
        ([file(name="a\r\n.pdf")], "attachments/0/name"),
        ([file(ATTACHMENTS_BYTES // 2)] * 2, None),
        ([file(ATTACHMENTS_BYTES // 2), file(ATTACHMENTS_BYTES // 2 + 2)], "attachments"),
    ],
)
def test_attachments(files: list[Json], where: str | None) -> None:
    assert part("email", "text", attachments=files) == where


def test_the_character_that_makes_it_ucs2_is_one_that_nothing_plain_stands_for() -> None:
    sent = as_sent("it’s – 谢", {})
    assert sent.foreign is not None
    assert (sent.foreign.character, sent.foreign.at) == ("谢", 7)
    unwanted = as_sent("it’s", {"smartEncoding": False})
    assert unwanted.foreign is not None
    assert unwanted.foreign.character == "’"
