"""Cursors are opaque, signed, and good for one list."""

from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kernel.errors import Invalid
from entrypoints.http.kit.paging import Cursors

cursors = Cursors(b"k" * 32)


@given(st.binary(max_size=20), st.uuids(), st.integers(min_value=0))
def test_a_position_comes_back(scope: bytes, row: UUID, n: int) -> None:
    assert cursors.read(scope, cursors.write(scope, row), UUID) == row
    assert cursors.read(scope, cursors.write(scope, (row, n)), tuple[UUID, int]) == (row, n)


@given(st.data())
def test_no_changed_cursor_is_read(data: st.DataObject) -> None:
    cursor = cursors.write(b"list", "position")
    at = data.draw(st.integers(0, len(cursor) - 2))  # the last character has bits that mean nothing
    changed = cursor[:at] + data.draw(st.sampled_from("ABCxyz019-_!é")) + cursor[at + 1 :]
    if changed != cursor:
        with pytest.raises(Invalid):
            cursors.read(b"list", changed, str)


def test_a_cursor_of_another_list_or_service_is_not_read() -> None:
    cursor = cursors.write(b"list", str(uuid4()))
    with pytest.raises(Invalid):
        cursors.read(b"other", cursor, str)
    with pytest.raises(Invalid):
        Cursors(b"x" * 32).read(b"list", cursor, str)


def test_scope_and_position_do_not_run_into_each_other() -> None:
    one = cursors.write(b"a", "b")
    with pytest.raises(Invalid):
        cursors.read(b'a"', one, str)
