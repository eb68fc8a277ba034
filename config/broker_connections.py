"""Connections to RabbitMQ, as the settings describe them."""

import os
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from adapters.rabbitmq.connection import BrokerConnection
from adapters.rabbitmq.endpoint import Endpoint
from adapters.rabbitmq.management_api import ManagementApi
from adapters.rabbitmq.topology import Definitions, as_json, definitions
from application.kernel.supervision import Tasks
from config import secrets
from config.connections import Delays
from config.settings import Settings

AMQP_EXAMPLE = "amqp://user:password@host:5672/"
MANAGEMENT_EXAMPLE = "http://user:password@host:15672"


def endpoint(settings: Settings) -> Endpoint:
    """Where the broker is, as amqp.url and amqp.tls say.

    Raises:
        Misconfigured: amqp.url is not set or not an AMQP URL.
    """
    url = secrets.required("amqp.url", settings.amqp.url, AMQP_EXAMPLE)
    return Endpoint.parse(url, secrets.tls("amqp.tls", settings.amqp.tls))


def broker_connection(settings: Settings, purpose: str, tasks: Tasks) -> BrokerConnection:
    """Make one connection, not opened yet; the broker's list of connections shows its name."""
    name = f"posthorn {purpose} {socket.gethostname()}:{os.getpid()}"
    return BrokerConnection([endpoint(settings)], name=name, purpose=purpose, tasks=tasks)


def management(settings: Settings) -> ManagementApi:
    """Make a client of the broker's management API.

    Raises:
        Misconfigured: amqp.management_url or amqp.url is not set, or is not such a URL.
    """
    url = secrets.required("amqp.management_url", settings.amqp.management_url, MANAGEMENT_EXAMPLE)
    context = secrets.tls("amqp.tls", settings.amqp.tls) if urlsplit(url.reveal()).scheme == "https" else None
    return ManagementApi(url, vhost=endpoint(settings).vhost, tls=context)


def described_topology(settings: Settings, made: Iterable[str] = ()) -> Definitions:
    """The queues, exchanges and policies that the channels and delays need.

    Args:
        made: channels beside those of the configuration.
    """
    channels = dict.fromkeys([*settings.accepting.channels, *sorted(made)])
    return definitions(channels=tuple(channels), plugin=settings.amqp.delays is Delays.PLUGIN)


def described(settings: Settings) -> str:
    """The same as JSON, for RabbitMQ's `load_definitions`."""
    return as_json(described_topology(settings))
