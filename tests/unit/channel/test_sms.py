"""The text of an SMS; tests/peers holds the same to a library that is not ours."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.channel.sms import EACH, SINGLE, Foreign, SmsEncoding, first_foreign, plain, segments

GSM7, UCS2 = SmsEncoding.GSM7, SmsEncoding.UCS2
TEXTS = st.text(st.sampled_from("aé€{^\f \n@Δç“…–🎉谢\u00a0"), max_size=400)


def _units(text: str, encoding: SmsEncoding) -> int:
    if encoding is UCS2:
        return len(text.encode("utf-16-be")) // 2
    return sum(2 if character in "\f^{}\\[~]|€" else 1 for character in text)


class TestSegments:
    @pytest.mark.parametrize(
        ("text", "encoding", "lengths"),
        [
            ("", GSM7, [0]),
            ("a" * 160, GSM7, [160]),
            ("a" * 161, GSM7, [153, 8]),
            ("a" * 306, GSM7, [153, 153]),
            ("a" * 307, GSM7, [153, 153, 1]),
            ("€" * 80, GSM7, [80]),
            ("€" * 81, GSM7, [76, 5]),
            ("a" * 152 + "€" + "a" * 8, GSM7, [152, 9]),
            ("ç" * 70, UCS2, [70]),
            ("ç" * 71, UCS2, [67, 4]),
            ("🎉" * 35, UCS2, [35]),
            ("🎉" * 36, UCS2, [33, 3]),
            ("ç" * 66 + "🎉" + "ç" * 4, UCS2, [66, 5]),
        ],
    )
    def test_how_a_text_is_cut(self, text: str, encoding: SmsEncoding, lengths: list[int]) -> None:
        cut = segments(text)
        assert cut.encoding is encoding
        assert [len(part) for part in cut.parts] == lengths

    @given(TEXTS)
    def test_nothing_is_lost_and_every_part_is_as_full_as_can_be(self, text: str) -> None:
        cut = segments(text)
        assert "".join(cut.parts) == text
        if len(cut.parts) == 1:
            assert _units(text, cut.encoding) <= SINGLE[cut.encoding]
            return
        assert _units(text, cut.encoding) > SINGLE[cut.encoding]
        for part, following in zip(cut.parts, cut.parts[1:], strict=False):
            assert _units(part, cut.encoding) <= EACH[cut.encoding]
            assert _units(part + following[0], cut.encoding) > EACH[cut.encoding]

    @pytest.mark.parametrize(
        ("text", "foreign"),
        [
            ("plain [text] for 5 €", None),
            ("a façade, “quoted”", Foreign("ç", 4)),
            ("Thanks 🎉", Foreign("🎉", 7)),
            ("tab\there", Foreign("\t", 3)),
        ],
    )
    def test_it_names_the_character_that_costs(self, text: str, foreign: Foreign | None) -> None:
        assert segments(text).foreign == first_foreign(text) == foreign


class TestPlain:
    @pytest.mark.parametrize(
        ("text", "replaced"),
        [
            ("It’s “here” – now…", 'It\'s "here" - now...'),
            ("5\u00a0€ \u2022 2\u202f×\u20093", "5 € * 2 x 3"),
            ("soft\u00adhy\u200bphen\ufeff", "softhyphen"),
            ("«Bonjour»", '"Bonjour"'),
        ],
    )
    def test_typography_goes_where_that_is_enough(self, text: str, replaced: str) -> None:
        assert plain(text) == replaced
        assert segments(plain(text)).encoding is GSM7

    @pytest.mark.parametrize(
        "text", ["“Thanks” 🎉", "“Ça va?” façade", "“谢谢”", "already plain", "", "…" * 70]
    )
    def test_it_is_left_alone_where_it_is_not(self, text: str) -> None:
        assert plain(text) == text

    @given(TEXTS)
    def test_it_never_costs_more(self, text: str) -> None:
        assert len(segments(plain(text)).parts) <= len(segments(text).parts)
