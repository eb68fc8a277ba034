"""The cause of a failed delivery, without the details of one message: dead letters are grouped by it."""

import hashlib
import re

CAUSE_MAX = 200

# The order matters: longer patterns come first, because shorter ones would match parts of them.
_VARIABLE = (
    (re.compile(r"[^\s<>\"']+@[^\s<>\"',;:]+"), "<address>"),
    (re.compile(r"\b[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b\d{1,3}(\.\d{1,3}){3}\b"), "<host>"),
    (re.compile(r"\+\d[\d ]{5,}\d"), "<number>"),
    (re.compile(r"\b(?=[\w-]*\d)[\w-]{9,}\b"), "<id>"),
    (re.compile(r"\d{4,}"), "<number>"),
    (re.compile(r"\s+"), " "),
)


def cause(reason: str) -> str:
    """The reason without what differs from one delivery to the next: addresses, ids, long numbers.

    Status codes (`550 5.1.1`) stay: they are the cause.
    """
    text = reason
    for pattern, word in _VARIABLE:
        text = pattern.sub(word, text)
    return text.strip()[:CAUSE_MAX]


def fingerprint(channel: str, provider: str | None, cause: str) -> str:
    """Sixteen hex digits that name a group of dead letters: one channel, one provider, one cause.

    SQL computes the same value (`adapters/postgres/dead_letter/dead_letters.py`); a test compares both.
    """
    return hashlib.sha256("|".join((channel, provider or "", cause)).encode()).hexdigest()[:16]
