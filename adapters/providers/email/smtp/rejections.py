"""Whose fault a rejection is that comes after the recipient was named: by its code, then by its words.

Servers judge client, sender and relaying only when they know the recipient (Postfix: `smtpd_delay_reject`),
and some the account when they have the whole message (SES, Exchange Online).  RFC 3463 and 4954 have codes
for it; many servers have only words, and those are a hint: the first such refusal may be the message's own.
"""

import re
from enum import Enum


class FaultOwner(Enum):
    """Whose fault a rejection is."""

    RECIPIENT = "recipient"
    """Or nobody says: it concerns this one."""
    MESSAGE = "message"
    """Its size or its kind."""
    ACCOUNT = "account"
    """The login, certainly."""
    PERHAPS_ACCOUNT = "perhaps account"
    """The account's, it seems: its sender, its address, its quota, what it may relay."""


_LOGIN_CODES = frozenset({530, 534, 535, 538})
"""RFC 4954: authentication required, too weak, not valid, needs encryption."""
_LOGIN = frozenset({"7.8", "7.9", "7.10", "7.11", "7.12", "7.13", "7.14", "7.57"})
"""X.7.57: Exchange, "client not authenticated to send mail"."""
_MAILBOX = frozenset(
    [
        "1.1",
        "1.2",
        "1.3",
        "1.4",
        "1.6",
        "1.10",
        "2.1",
        "2.2",
        "2.3",
        "2.4",
        "4.1",
        "4.4",
        "4.6",
        "7.2",
        "7.17",
    ]
)
"""The recipient's mailbox or domain."""
_OURS = frozenset(
    [
        "1.7",
        "1.8",
        "3.2",
        "3.5",
        "4.5",
        "7.20",
        "7.21",
        "7.22",
        "7.23",
        "7.24",
        "7.25",
        "7.26",
        "7.27",
        "7.28",
        "7.54",
        "7.60",
        "7.64",
    ]
)
"""The sender's address (1.7, 1.8), the system (3.2, 3.5), Gmail's daily limit (4.5), DKIM, SPF, the client's
name, a null MX of the sender (7.20 to 7.28); Exchange's relaying (7.54, 7.64) and send-as (7.60)."""
_TENANT = re.compile(r"7\.[5-7]\d\d")
"""Exchange Online: the sending tenant, its address or its domain is blocked."""
_EXPECTS = frozenset({500, 502, 503})
"""Something else should have come before."""

_ENHANCED = re.compile(r"\b[45]\.(\d{1,3}\.\d{1,3})\b")
_NAMED = re.compile(r"recipient (address )?rejected|\buser unknown|unknown user|no such (user|mailbox)", re.I)
_GAP = r"[^.;]{0,50}"


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(patterns), re.IGNORECASE)


_ACCOUNT = _any(
    rf"\brelay\w*\b{_GAP}\b(denied|prohibited|disallowed|rejected|not\b)|rcpthosts",
    r"\b(unable|not (permitted|allowed|authori[sz]ed)) to relay|\b(not|n't|no) relay",
    rf"\bauthenticat\w+\b{_GAP}\b(required|needed|failed|failure|first|invalid)|\bcredentials?\b",
    r"\b(not|un) ?-?authenticated|\bmust (first )?(authenticate|log ?in|issue a starttls)|smtp auth",
    rf"\b(daily|hourly|monthly|sending|sender|relay|account|maximum)\b{_GAP}\b(quota|limit|credits?)\b",
    rf"\b(quota|limit|credits?)\b{_GAP}\b(for (today|this|your)|of your account|per (day|hour|month))\b",
    rf"\byour account\b|\baccount\b{_GAP}\b(suspended|paused|under review|not (active|allowed))",
)
"""Relaying, the login, what the account may still send."""
_SENDER = _any(
    rf"\bsend(er|ing)\b{_GAP}\b(reject\w*|refused|denied|suspended|paused|disabled|blocked|banned)",
    rf"\bsend(er|ing)\b{_GAP}\b(not|invalid|unknown|unverified|verif\w+|does)\b",
    rf"\b(from|return-path|envelope)\b{_GAP}\b(not|reject\w*|denied|mismatch\w*|invalid|unverified)\b",
    r"\bsend ?-?(as|on behalf)|\bnot (allowed|authori[sz]ed|permitted) to (send|use)|\bnot owned by",
    r"\bnot (a )?verified\b|verified sender|unverified|\bspoof",
)
_CLIENT = _any(
    r"\bclient (host|address|ip)|\b(helo|ehlo)\b|\bblocked (using|by)|\b(dns)?rbl\b|\bdns[bw]l|spamhaus",
    r"\b(your|this) (ip|host|server|network|mail ?server)|\bip (address )?\[?\d|\breverse dns|\bptr\b",
    r"\b(spf|dkim|dmarc)\b|\breputation\b",
)
"""Where we come from; of a message the same words are about its links."""


def fault_owner(code: int, text: str, *, before_content: bool) -> FaultOwner:
    """Whose fault an answer of 4yz or 5yz is.

    Args:
        before_content: the server has not seen the message: X.7.1 is about who sends it; later, about spam.
    """
    found = _ENHANCED.search(text)
    detail = found[1] if found else ""
    if code in _LOGIN_CODES or detail in _LOGIN:
        return FaultOwner.ACCOUNT
    if detail in _MAILBOX or _NAMED.search(text):
        return FaultOwner.RECIPIENT
    if detail == "3.4" or detail.startswith("6.") or (code == 552 and not detail):
        return FaultOwner.MESSAGE
    if _ACCOUNT.search(text):
        return FaultOwner.PERHAPS_ACCOUNT
    if code // 100 == 4:  # greylisting, and the like of it
        return FaultOwner.RECIPIENT
    if detail in _OURS or _TENANT.fullmatch(detail) or _SENDER.search(text):
        return FaultOwner.PERHAPS_ACCOUNT
    if before_content and (detail == "7.1" or code in _EXPECTS or _CLIENT.search(text)):
        return FaultOwner.PERHAPS_ACCOUNT
    return FaultOwner.RECIPIENT
