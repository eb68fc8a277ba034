"""What can be stored of what was said."""

import pytest

from domain.kernel.text import on_one_line, storable


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (None, None),
        ("", ""),
        ("550 no such user", "550 no such user"),
        ("später 📯", "später 📯"),
        ("a\0b", "ab"),
        ("\ud83d!", "?!"),
        ("ä\0\udfff", "ä?"),
    ],
)
def test_only_what_has_no_room_is_left_out(said: str | None, kept: str | None) -> None:
    assert storable(said) == kept


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a b", "a b"),
        (" a\r\nb\t c\u2028d ", "a b c d"),
        ("\x1b[2Jspäter", "\\x1b[2Jspäter"),
        ("a\u202eb\0", "a\\u202eb\\x00"),
        ("\ud83d", "\\ud83d"),
    ],
)
def test_what_reaches_a_terminal_moves_nothing_there(said: str, shown: str) -> None:
    assert on_one_line(said) == shown
