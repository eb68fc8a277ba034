"""The segments of a text, held to smsutil."""

import pytest
import smsutil
from hypothesis import given
from hypothesis import strategies as st

from domain.channel.sms import SmsEncoding, first_foreign, segments

ENCODINGS = {"gsm0338": SmsEncoding.GSM7, "utf_16_be": SmsEncoding.UCS2}
ESCAPE = "\x1b"
"""smsutil takes it for a character; alone it is none."""


@given(
    st.one_of(
        st.text(st.sampled_from("aé€{^\f \n@ÇΔΣüà~|"), min_size=1, max_size=2_000),
        st.text(st.sampled_from("a€ç“谢🎉\u00a0"), min_size=1, max_size=900),
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters=ESCAPE), min_size=1),
    )
)
def test_smsutil_cuts_a_text_at_the_same_places(text: str) -> None:
    compare(text)


@pytest.mark.parametrize("character", "a€ç🎉")
def test_so_it_does_at_every_length(character: str) -> None:
    for length in range(1, 480):
        compare(character * length)
        compare("ab" + character * length)


def compare(text: str) -> None:
    theirs, ours = smsutil.split(text), segments(text)
    assert ours.encoding is ENCODINGS[theirs.encoding]
    assert list(ours.parts) == [part.content for part in theirs.parts]


def test_every_character_of_the_plane_has_the_encoding_that_it_has_for_smsutil() -> None:
    for code in [*range(ord(ESCAPE)), *range(ord(ESCAPE) + 1, 0xD800), *range(0xE000, 0x10000)]:
        assert (first_foreign(chr(code)) is None) is smsutil.is_valid_gsm(chr(code)), hex(code)
