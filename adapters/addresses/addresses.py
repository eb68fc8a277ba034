"""Normalises addresses without asking the network."""

import re
import unicodedata
from functools import cache
from zoneinfo import available_timezones

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumberFormat

_EMAIL_LENGTH_MAX = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
_LABEL = r"(?!..--)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN_EMAIL = re.compile(
    r"(?=[^@]{1,64}@)[a-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    rf"@(?:{_LABEL}\.)+[a-z]{{2,63}}"
)
"""Plain ASCII addresses, nearly all there are; what does not match is looked at by the library, which is 20
times slower and says what is wrong."""

_LOCALE = re.compile(
    r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?(?:\.[\w-]{1,20})?(?:@[A-Za-z]{1,20})?",
    re.ASCII,
)


class LocalAddresses:
    """Implements `Addresses`."""

    def email(self, value: str) -> str:
        """The mailbox as given, its domain in lower case and ASCII (IDNA).

        Raises:
            ValueError: not an address.
        """
        value = _trimmed(value)
        if "=?" in value:  # legal, but in a header many programs would decode it (RFC 2047)
            raise ValueError("not an e-mail address: it has =? in it, which begins an encoded word.")
        if len(value) <= _EMAIL_LENGTH_MAX and value.isascii() and _PLAIN_EMAIL.fullmatch(value.lower()):
            local, _, domain = value.partition("@")
            return f"{local}@{domain.lower()}"
        try:
            found = validate_email(value, check_deliverability=False, strict=True, test_environment=True)
        except EmailNotValidError as error:
            why = re.split(r"[:(]", str(error))[0].strip().rstrip(".")  # what follows quotes the address
            raise ValueError(f"not an e-mail address: {why}.") from None
        if "." not in found.ascii_domain:
            raise ValueError("not an e-mail address: the part after the @-sign should have a period.")
        return f"{found.local_part}@{found.ascii_domain}"

    def phone(self, value: str, region: str | None = None) -> str:
        """E.164.  `region` (ISO 3166-1 alpha-2) is needed for a number without a leading +.

        Lengths and country codes are checked; whether a range is in use is not: operators open new ones
        faster than any list is brought up to date.

        Raises:
            ValueError: not a number, or of unknown country.
        """
        try:
            number = phonenumbers.parse(_trimmed(value), region.upper() if region else None)
        except NumberParseException as error:
            if error.error_type == NumberParseException.INVALID_COUNTRY_CODE:
                raise ValueError(
                    "no known country: write the number as +<country code><number>, such as +4930901820"
                ) from None
            raise ValueError("not a phone number; write it as +<country code><number>") from None
        if number.extension:
            raise ValueError("a number with an extension cannot be reached by message")
        if not phonenumbers.is_possible_number(number):
            raise ValueError(f"no number of country code +{number.country_code} has this length")
        return phonenumbers.format_number(number, PhoneNumberFormat.E164)

    def timezone(self, value: str) -> str:
        """A name of the IANA time zone database.

        Raises:
            ValueError: no such zone.
        """
        zone = _trimmed(value)
        if zone not in _timezones():
            raise ValueError("not an IANA time zone such as Europe/Berlin")
        return zone

    def locale(self, value: str) -> str:
        """Language, script and region of a BCP 47 tag, in its usual spelling: `pt-BR`, `zh-Hant`.

        Also read off the name of a POSIX locale: `en_US.UTF-8`, `de_DE@euro`.

        Raises:
            ValueError: not such a tag.
        """
        match = _LOCALE.fullmatch(_trimmed(value))
        if match is None:
            raise ValueError("not a locale such as en, pt-BR or zh-Hant-TW")
        language, script, region = match.groups()
        parts = (language.lower(), script and script.title(), region and region.upper())
        return "-".join(filter(None, parts))


def _trimmed(value: str) -> str:
    """Without what pasting leaves around: spaces and line ends of every kind, marks that nobody sees."""
    start, end = 0, len(value)
    while start < end and _unseen(value[start]):
        start += 1
    while end > start and _unseen(value[end - 1]):
        end -= 1
    return value[start:end]


def _unseen(character: str) -> bool:
    return character.isspace() or unicodedata.category(character) == "Cf"


@cache
def _timezones() -> frozenset[str]:
    # Asked once: listing them reads the whole database from disk.
    return frozenset(available_timezones())
