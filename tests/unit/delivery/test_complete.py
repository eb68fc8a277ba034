"""What becomes of rendered words before a provider is called."""

import asyncio
import base64
from contextlib import ExitStack
from typing import Any

import pytest

from application.delivery.complete import FETCHED_BYTES, CompleteMessage
from application.kernel.room import Room
from domain.channel.parts import ATTACHMENTS_BYTES
from domain.channel.preheader import with_preheader
from domain.kernel.errors import Invalid, Unfetched
from domain.template.template import Rendered


class Shelf:
    """Implements `Files` with what it has."""

    def __init__(self, **files: bytes) -> None:
        self.files, self.room = files, list[int]()

    async def fetch(self, url: str, most: int) -> str:
        self.room.append(most)
        name = url.rpartition("/")[2]
        if name not in self.files:
            raise Unfetched("shop.test: an attachment was answered with 404")
        return base64.b64encode(self.files[name]).decode()


def completed(channel: str, shelf: Shelf | None = None, **said: Any) -> Rendered:
    complete = CompleteMessage(files=shelf or Shelf(), senders={"news": "News <news@shop.test>"})
    with ExitStack() as held:
        return asyncio.run(complete(channel, Rendered(**said), held))


def file(name: str) -> dict[str, str]:
    return {"name": name, "type": "text/plain", "url": f"https://shop.test/{name}"}


def test_a_sender_is_its_mailbox() -> None:
    assert completed("email", body="x", parts={"sender": "news"}).parts == {"sender": "News <news@shop.test>"}
    with pytest.raises(Invalid, match="no sender has the name 'old'"):
        completed("email", body="x", parts={"sender": "old"})


def test_files_are_fetched_and_count_together() -> None:
    shelf = Shelf(a=b"one", b=b"three")
    inline = {"name": "c", "type": "text/plain", "content": "QUJD"}
    made = completed("email", shelf, body="x", parts={"attachments": [file("a"), inline, file("b")]})
    assert made.parts["attachments"] == [
        {"name": "a", "type": "text/plain", "content": "b25l"},
        inline,
        {"name": "b", "type": "text/plain", "content": "dGhyZWU="},
    ]
    assert shelf.room == [ATTACHMENTS_BYTES - 3, ATTACHMENTS_BYTES - 6]


def test_a_file_that_is_not_there_is_said() -> None:
    with pytest.raises(Unfetched, match="answered with 404"):
        completed("email", body="x", parts={"attachments": [file("gone")]})


@pytest.mark.parametrize(
    ("html", "at"),
    [("<html><BODY class='a'><p>Hi", "<BODY class='a'>"), ("<p>Hi", ""), ("<tbody><p>", "")],
)
def test_a_preheader_stands_first_and_hidden(html: str, at: str) -> None:
    made = completed("email", html_body=html, parts={"preheader": "Soon <there>\n& yours"})
    assert made.html_body is not None
    assert made.html_body.partition("<div")[0].endswith(at)
    assert '<div style="display:none' in made.html_body
    assert ">Soon &lt;there&gt; &amp; yours&#847;" in made.html_body
    assert made.parts == {}


def test_an_empty_preheader_leaves_the_message_alone() -> None:
    assert with_preheader("<p>Hi", " \n") == "<p>Hi"


def test_an_email_without_parts_is_as_it_was() -> None:
    words = Rendered(body="x", html_body="<p>x")
    complete = CompleteMessage(files=Shelf(), senders={})
    assert asyncio.run(complete("email", words, ExitStack())) is words


def test_other_channels_are_as_they_were() -> None:
    words = Rendered(body="x", parts={"sender": "news", "attachments": [file("gone")]})
    assert asyncio.run(CompleteMessage(files=Shelf(), senders={})("whatsapp", words, ExitStack())) is words


async def test_files_on_their_way_take_room_until_the_message_is_sent() -> None:
    complete = CompleteMessage(files=Shelf(a=b"x" * 3_000), senders={})
    whole, first, second = complete.room.left, ExitStack(), ExitStack()
    words = Rendered(body="x", parts={"attachments": [file("a")]})
    await complete("email", words, first)
    assert complete.room.left == whole - 4_000
    complete.room.left = 4_000  # the rest is taken by others
    late = asyncio.create_task(complete("email", words, second))
    await asyncio.wait([late], timeout=0.05)
    assert not late.done()
    complete.room.give(FETCHED_BYTES - 8_000)
    await late
    second.close()
    first.close()
    assert complete.room.left == whole


async def test_a_file_that_is_not_there_takes_no_room() -> None:
    complete, held = CompleteMessage(files=Shelf(), senders={}), ExitStack()
    with pytest.raises(Unfetched):
        await complete("email", Rendered(body="x", parts={"attachments": [file("gone")]}), held)
    assert complete.room.left == FETCHED_BYTES


async def test_who_waits_long_for_room_comes_back() -> None:
    complete = CompleteMessage(files=Shelf(a=b"x"), senders={}, room=Room(FETCHED_BYTES), wait_max=0.05)
    complete.room.left = 0
    with pytest.raises(Unfetched, match="all the room"):
        await complete("email", Rendered(body="x", parts={"attachments": [file("a")]}), ExitStack())
