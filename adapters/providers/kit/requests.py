"""How requests are written: forms, queries, basic authentication, and the fields that name our delivery."""

from base64 import b64encode
from collections.abc import Collection, Mapping
from typing import TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit
from uuid import UUID

from application.provider.ports import OutboundMessage
from domain.kernel.secret import Secret

CORRELATION = "posthorn_delivery"
"""The name under which our delivery's id travels; the provider's webhooks give it back."""
ATTEMPT = "posthorn_attempt"

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}

T = TypeVar("T")


def correlation(message: OutboundMessage) -> dict[str, str]:
    """What the provider keeps with the message and gives back."""
    return {CORRELATION: str(message.delivery), ATTEMPT: str(message.attempt)}


def is_of(given_back: Mapping[str, object], delivery: UUID, attempts: Collection[int]) -> bool:
    """Whether what the provider gives back is what we sent with one of these attempts of a delivery."""
    number = str(given_back.get(ATTEMPT))
    return given_back.get(CORRELATION) == str(delivery) and number in map(str, attempts)


def client_reference(message: OutboundMessage) -> str:
    """Both in one text of at most 40 characters, for providers that keep but one: `<delivery>:<attempt>`."""
    return f"{message.delivery}:{message.attempt}"


def present(fields: Mapping[str, T | None]) -> dict[str, T]:
    """The fields that have a value."""
    return {name: value for name, value in fields.items() if value is not None}


def form(fields: Mapping[str, str | None]) -> bytes:
    """A form as it stands in a body; fields without a value are left out."""
    return urlencode(present(fields)).encode()


def with_query(url: str, fields: Mapping[str, str]) -> str:
    """The URL with these fields after those that its query has."""
    parts = urlsplit(url)
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *fields.items()])
    return urlunsplit(parts._replace(query=query))


def basic_auth(user: str, secret: Secret | None) -> dict[str, str]:
    """The header of basic authentication."""
    known = f"{user}:{secret.reveal() if secret else ''}"
    return {"Authorization": f"Basic {b64encode(known.encode()).decode()}"}
