"""Settings of what a process connects to, and where it listens."""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from msgspec import Meta

from config.secret_url import SecretUrl
from config.section import Section
from domain.kernel.bounds import Count, Port


class TlsMode(StrEnum):
    """Whether a connection is encrypted, and whether the other side must prove who it is."""

    OFF = "off"
    VERIFY = "verify"
    NO_VERIFY = "no-verify"


class Tls(Section, frozen=True):
    """TLS of a connection to a server."""

    mode: Annotated[TlsMode, Meta(description="`verify` checks the server's certificate and name")] = (
        TlsMode.OFF
    )
    ca: Annotated[Path | None, Meta(description="PEM file of the authority; none: the system's")] = None
    cert: Annotated[Path | None, Meta(description="PEM file of our own certificate")] = None
    key: Annotated[Path | None, Meta(description="PEM file of its key")] = None


class Db(Section, frozen=True):
    """PostgreSQL."""

    url: Annotated[SecretUrl | None, Meta(description="`postgresql://user:password@host:5432/posthorn`")] = (
        None
    )
    pool: Annotated[Count, Meta(description="connections for the hot statements of one process")] = 10
    statement_max: Annotated[timedelta, Meta(description="the server ends a statement that takes longer")] = (
        timedelta(seconds=30)
    )
    tls: Tls = Tls()


class Delays(StrEnum):
    """Where messages wait until they are due."""

    LADDER = "ladder"
    PLUGIN = "plugin"


class Amqp(Section, frozen=True):
    """RabbitMQ."""

    url: Annotated[
        SecretUrl | None, Meta(description="`amqp://user:password@host:5672/vhost`, or `amqps://`")
    ] = None
    management_url: Annotated[
        SecretUrl | None,
        Meta(
            description="`http://user:password@host:15672`: for `posthorn topology`, and to lay the topology "
            "out anew on a broker that has lost its data"
        ),
    ] = None
    delays: Annotated[
        Delays,
        Meta(
            description="how messages wait; `plugin`: in brokers with `rabbitmq_delayed_message_exchange`; "
            "after a change: `posthorn topology apply`"
        ),
    ] = Delays.LADDER
    tls: Tls = Tls()


class Http(Section, frozen=True):
    """The REST API."""

    host: Annotated[str, Meta(description="address to listen on")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="port to listen on; 0: any free one")] = 8000
    connections: Annotated[
        Count,
        Meta(description="open at once, as far as `ulimit -n` allows; beyond, the longest idle is closed"),
    ] = 1_000
    metrics_port: Annotated[
        Port,
        Meta(description="port of `/metrics`, `/livez` and `/readyz` in a process without the API; 0: none"),
    ] = 0
