"""Why deliveries died, told alike when it is alike: dead letters are grouped by it."""

import hashlib
import re

CAUSE_MAX = 200

# In this order: what stands in a longer thing is gone when the shorter is looked for.
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
    told = reason
    for pattern, word in _VARIABLE:
        told = pattern.sub(word, told)
    return told.strip()[:CAUSE_MAX]


def fingerprint(channel: str, provider: str | None, told: str) -> str:
    """Sixteen hex digits that name a group of dead letters: one channel, one provider, one cause.

    SQL makes the same of the same (`adapters/postgres/dead_letter/dead_letters.py`), and a test holds
    both together.
    """
    return hashlib.sha256("|".join((channel, provider or "", told)).encode()).hexdigest()[:16]
