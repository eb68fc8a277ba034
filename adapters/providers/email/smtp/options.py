"""How one SMTP server is spoken to."""

from datetime import timedelta
from pathlib import Path
from typing import Literal

import msgspec

from domain.kernel.secret import Secret


class SmtpOptions(msgspec.Struct, frozen=True, kw_only=True):
    """One SMTP server and how it is spoken to."""

    host: str
    port: int
    sender: str
    """From: an address, with a display name if you like (`The Shop <shop@example.org>`)."""
    reply_to: str | None = None
    tls: Literal["none", "starttls", "tls"] = "starttls"
    verify: bool = True
    """Whether the server's certificate and name are checked."""
    ca: Path | None = None
    """PEM file of the authority; None: the system's."""
    user: str | None = None
    password: Secret | None = None
    hello: str | None = None
    """Our name in EHLO; None: the sender's domain."""
    pool: int = 4
    """Connections at a time."""
    timeout: timedelta = timedelta(seconds=15)
    """Longest time until the server wants the message (354), connecting included."""
    answer_max: timedelta = timedelta(minutes=10)
    """Longest wait for its answer to the whole message: it may scan it first (RFC 5321, 4.5.3.2.6).

    Who gives up sooner sends again what was taken.
    """
    wait_max: timedelta = timedelta(seconds=1)
    """Longest wait for a free connection."""
    idle_max: timedelta = timedelta(seconds=20)
    """A connection that rests longer is closed: servers close it soon, too."""
    messages_max: int = 100
    """Messages over one connection: servers count them, and load balancers want their turn."""
