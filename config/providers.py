"""The kinds of providers and what each can be told."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from config.section import Count, Port, Section, Share
from domain.kernel.secret import Secret


class SmtpTls(StrEnum):
    """How an SMTP connection is encrypted."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


class SmtpProvider(Section, tag_field="kind", tag="smtp"):
    """E-mail by SMTP."""

    host: Annotated[str, Meta(description="name of the SMTP server")] = "localhost"
    port: Annotated[Port, Meta(description="25, 587 (STARTTLS) or 465 (TLS)")] = 587
    tls: Annotated[SmtpTls, Meta(description="how the connection is encrypted")] = SmtpTls.STARTTLS
    verify: Annotated[bool, Meta(description="check the server's certificate and name")] = True
    ca: Annotated[Path | None, Meta(description="PEM file of the authority; none: the system's")] = None
    user: Annotated[str | None, Meta(description="login; none: no login")] = None
    password: Annotated[Secret | None, Meta(description="password of the login")] = None
    sender: Annotated[
        str, Meta(description="From address, with a name if you like: `The Shop <shop@example.org>`")
    ] = msgspec.field(name="from", default="shop@localhost")
    reply_to: Annotated[str | None, Meta(description="Reply-To address")] = None
    hello: Annotated[str | None, Meta(description="our name in EHLO; none: the sender's domain")] = None
    pool: Annotated[Count, Meta(description="connections of one process")] = 4
    timeout: Annotated[
        timedelta,
        Meta(description="longest time until the server wants the message; at most `engine.call_max`"),
    ] = timedelta(seconds=15)
    answer_max: Annotated[
        timedelta,
        Meta(
            description="longest wait for its answer to the whole message, which it may scan first; what it "
            "takes after that is sent twice"
        ),
    ] = timedelta(minutes=10)
    wait_max: Annotated[timedelta, Meta(description="longest wait for a free connection")] = timedelta(
        seconds=1
    )
    idle_max: Annotated[timedelta, Meta(description="a connection that rests longer is closed")] = timedelta(
        seconds=20
    )
    messages_max: Annotated[Count, Meta(description="messages over one connection")] = 100


class SandboxProvider(Section, tag_field="kind", tag="sandbox"):
    """Sends nothing: accepts, refuses, defers or falls silent as the address says."""

    latency: Annotated[timedelta, Meta(description="how long every call takes")] = timedelta()
    timeout: Annotated[
        timedelta, Meta(description="how long a call waits for an answer that does not come")
    ] = timedelta(seconds=2)
    refuse: Annotated[Share, Meta(description="share of messages that are refused for good")] = 0.0
    defer: Annotated[Share, Meta(description="share of messages that are deferred")] = 0.0
    silent: Annotated[Share, Meta(description="share of messages that are never answered")] = 0.0


Provider = SmtpProvider | SandboxProvider

KINDS: dict[str, type[Provider]] = {"smtp": SmtpProvider, "sandbox": SandboxProvider}


def kind_of(provider: Provider) -> str:
    """The name of its kind."""
    return str(provider.__struct_config__.tag)
