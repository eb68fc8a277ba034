"""Reading what a sender has spoilt."""

import struct
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from pamqp import commands, decode, exceptions, frame
from pamqp.header import ContentHeader

from adapters.rabbitmq import tolerant_reader

WHEN = datetime(2026, 3, 1, tzinfo=UTC)
SENT = frame.marshal(
    ContentHeader(
        properties=commands.Basic.Properties(
            message_id="mmmm", message_type="order.created", headers={"name": "v"}, timestamp=WHEN
        )
    ),
    1,
)
SPOILT = [
    SENT.replace(b"mmmm", b"\xff\xfe\xff\xfe"),
    SENT.replace(b"nameS", b"name?"),
    SENT.replace(b"nameS", b"\xffameS"),
    SENT.replace(struct.pack(">Q", int(WHEN.timestamp())), b"\xff" * 8),
]


@pytest.fixture
def strict() -> Iterator[None]:
    """pamqp as it comes."""
    ours = dict(decode.METHODS)
    decode.METHODS.update(shortstr=decode.short_str, table=decode.field_table, timestamp=decode.timestamp)
    yield
    decode.METHODS.update(ours)


def read(data: bytes) -> commands.Basic.Properties:
    _, _, header = frame.unmarshal(data)
    assert isinstance(header, ContentHeader)
    return header.properties


@pytest.mark.parametrize("spoilt", SPOILT)
def test_pamqp_by_itself_gives_up(strict: None, spoilt: bytes) -> None:
    with pytest.raises((exceptions.UnmarshalingException, OverflowError, OSError)):
        read(spoilt)


@pytest.mark.parametrize("spoilt", SPOILT)
def test_what_can_be_read_is_read(strict: None, spoilt: bytes) -> None:
    tolerant_reader.install()
    properties = read(spoilt)
    assert properties.message_type == "order.created"
    assert properties.headers in ({}, {"name": "v"})
    assert properties.message_id in ("mmmm", "\ufffd\ufffd\ufffd\ufffd")
    assert properties.timestamp in (None, WHEN)


def test_what_is_sound_is_read_as_ever(strict: None) -> None:
    tolerant_reader.install()
    properties = read(SENT)
    assert (properties.message_id, properties.headers) == ("mmmm", {"name": "v"})
    assert properties.timestamp == WHEN
