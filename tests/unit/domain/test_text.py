"""What can be stored of what was said."""

import pytest

from domain.kernel.text import storable


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
