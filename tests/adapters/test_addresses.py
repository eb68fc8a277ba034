"""One spelling per mailbox, number, zone and locale; clear words for the rest."""

import pytest
from email_validator import EmailNotValidError, validate_email
from hypothesis import given
from hypothesis import strategies as st

from adapters.addresses import LocalAddresses
from application.user.ports import Addresses

addresses: Addresses = LocalAddresses()


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        ("Ada.Lovelace@Example.COM", "Ada.Lovelace@example.com"),
        ("o'brien+shop@mail.example.co.uk", "o'brien+shop@mail.example.co.uk"),
        ("x@a-b.example", "x@a-b.example"),
        ("defer-2@shop.test", "defer-2@shop.test"),
        ("kunde@Bücher.example.de", "kunde@xn--bcher-kva.example.de"),
        ("kunde@xn--bcher-kva.example.de", "kunde@xn--bcher-kva.example.de"),
        ("Jörg@Example.com", "Jörg@example.com"),
        ("jo\u0308rg@example.com", "jörg@example.com"),
        ("\u212aate@example.com", "Kate@example.com"),  # a sign of kelvins, whose small letter is ASCII
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
    ],
)
def test_a_mailbox_has_one_spelling(written: str, stored: str) -> None:
    assert addresses.email(written) == stored
    assert addresses.email(stored) == stored


@pytest.mark.parametrize(
    "written",
    [
        "", "@", "ada", "ada@", "@example.com", "ada@example", "ada@@example.com", "a b@example.com",
        "ada@exam ple.com", ".ada@example.com", "ada.@example.com", "a..b@example.com", "ada@-example.com",
        "ada@example-.com", "ada@.com", "ada@example..com", "ada@example.com.", "ada@exam\nple.com",
        "ada@example.com\r\nBcc: eve@example.com", "Ada <ada@example.com>", '"ada"@example.com@x',
        "ada@[127.0.0.1]", "a" * 65 + "@example.com", "ada@" + "a" * 64 + ".com", "ada@" + "a." * 130 + "com",
        "ada@example.c0m1",
        "ada@xn--zzzzzzzz--.com", "ada@ab--cd.com", "ada\0@example.com", "\0ada@example.com",
        "=?utf-8?q?ada?=@example.com", "=?utf-8?q?=0D=0ABcc:eve=40example.com?=@example.com",
        "ada=?b@example.com",
        "ada@example.com,eve@example.com",
    ],
)  # fmt: skip
def test_what_is_no_mailbox_is_refused_with_words(written: str) -> None:
    with pytest.raises(ValueError, match="not an e-mail address: "):
        addresses.email(written)


@pytest.mark.parametrize(
    "around", [" ", "\r\n", "\t", "\u00a0", "\u200b", "\ufeff", "\u202a", "\u3000", "\u2028 \n"]
)
def test_what_pasting_leaves_around_a_value_is_no_part_of_it(around: str) -> None:
    assert addresses.email(f"{around}Ada@example.com{around}") == "Ada@example.com"
    assert addresses.email(f"{around}jörg@example.com{around}") == "jörg@example.com"
    assert addresses.phone(f"{around}+49 30 901820{around}") == "+4930901820"
    assert addresses.timezone(f"{around}Europe/Berlin{around}") == "Europe/Berlin"
    assert addresses.locale(f"{around}pt-BR{around}") == "pt-BR"


@given(st.from_regex(r"[\w.!#$%&'*+/=?^`{|}~-]{1,12}@[\w.-]{1,20}", fullmatch=True))
def test_the_short_way_agrees_with_the_library(written: str) -> None:
    try:
        found = validate_email(written, check_deliverability=False, strict=True, test_environment=True)
        expected = f"{found.local_part}@{found.ascii_domain}" if "." in found.ascii_domain else None
    except EmailNotValidError:
        expected = None
    try:
        got = addresses.email(written)
    except ValueError:
        got = None
    reserved = (".local", ".arpa", ".invalid", ".localhost", ".onion")
    if not (got or "").endswith(reserved):
        assert got == expected


@pytest.mark.parametrize(
    ("written", "region", "stored"),
    [
        ("+49 30 901820", None, "+4930901820"),
        ("030 901820", "DE", "+4930901820"),
        ("030 901820", "de", "+4930901820"),
        ("(415) 555-2671", "US", "+14155552671"),
        ("+1 415 555 2671", "DE", "+14155552671"),
        ("0044 20 7946 0958", "DE", "+442079460958"),
    ],
)
def test_numbers_become_e164(written: str, region: str | None, stored: str) -> None:
    assert addresses.phone(written, region) == stored


@pytest.mark.parametrize(
    ("written", "region", "says"),
    [
        ("030 901820", None, "no known country"),
        ("030 901820", "XX", "no known country"),
        ("+999 1234567", None, "no known country"),
        ("call me", "DE", "not a phone number"),
        ("", "DE", "not a phone number"),
        ("+49 1", None, "not a phone number|this length"),
        ("+1 415 555 26", None, "this length"),
        ("+49 30 901820 ext. 5", None, "extension"),
    ],
)
def test_what_is_no_number_is_refused_with_words(written: str, region: str | None, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        addresses.phone(written, region)


def test_zones_are_those_of_the_iana_database() -> None:
    assert addresses.timezone("Europe/Berlin") == "Europe/Berlin"
    assert addresses.timezone("UTC") == "UTC"
    for wrong in ("", "Berlin", "../../etc/passwd", "/etc/passwd", "europe/berlin", "GMT+25"):
        with pytest.raises(ValueError, match="Europe/Berlin"):
            addresses.timezone(wrong)


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("en", "en"),
        ("EN_us", "en-US"),
        ("pt-br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("en_US.UTF-8", "en-US"),
        ("de_DE@euro", "de-DE"),
        ("sr_RS.utf8@latin", "sr-RS"),
    ],
)
def test_locales_have_one_spelling(written: str, stored: str) -> None:
    assert addresses.locale(written) == stored


@pytest.mark.parametrize(
    "written", ["", "e", "english", "en-", "en-USA", "e n", "12", "../en", "POSIX", "en_US.", "en@", "еn"]
)
def test_what_is_no_locale_is_refused_with_words(written: str) -> None:
    with pytest.raises(ValueError, match="not a locale"):
        addresses.locale(written)
