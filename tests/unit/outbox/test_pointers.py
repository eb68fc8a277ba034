"""The message on a lane."""

from uuid import UUID

import pytest

from application.outbox.pointers import PACK_MAX, Pointer, decode, encode, packed
from domain.kernel.errors import Undecodable

ONE = Pointer(UUID(int=7), 3)


def test_what_is_written_is_read():
    assert decode(encode([ONE, Pointer(UUID(int=8), 1)])) == [ONE, Pointer(UUID(int=8), 1)]


def test_the_wire_form_is_the_designs():
    assert encode([ONE]) == b'{"v":1,"d":[["00000000-0000-0000-0000-000000000007",3]]}'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff",
        b'{"v":1,"d":[]}',
        b'{"v":2,"d":[["00000000-0000-0000-0000-000000000007",3]]}',
        b'{"v":1,"d":[["nobody",3]]}',
        b'{"v":1,"d":[["00000000-0000-0000-0000-000000000007",3]],"x":1}',
        b'{"v":1,"d":[["00000000-0000-0000-0000-000000000007",3,4]]',
    ],
)
def test_what_nobody_can_read_is_told_apart(body):
    with pytest.raises(Undecodable):
        decode(body)


def test_a_message_has_at_most_a_hundred_pointers():
    assert [len(chunk) for chunk in packed([ONE] * 205)] == [100, 100, 5]
    with pytest.raises(Undecodable):
        decode(encode([ONE] * (PACK_MAX + 1)))
